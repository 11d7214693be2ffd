"""Puts messages until its input ends: ``python sender.py HOME NAME SEED PAUSE TO …``.

Each line of its output is one that was accepted; PAUSE is the longest time between two, in seconds.
"""

import json
import random
import select
import sys
from pathlib import Path

from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox import letters
from relaykit.mailbox.door import open_door
from relaykit.model import Draft


def main() -> None:
    home, name, seed, pause, *recipients = sys.argv[1:]
    chance = random.Random(seed)
    with open_door(Path(home), routers=(AddressRouter(),)) as door:
        number = 0
        while not select.select([sys.stdin], [], [], chance.uniform(0, float(pause)))[0]:
            number += 1
            to = chance.choice(recipients)
            draft = Draft(sender=name, to=to, body=f"say:{name} {number:06}")
            accepted = door.run(letters.put, draft)
            sys.stdout.write(json.dumps({"id": accepted.message.id, "to": to, "number": number}) + "\n")
            sys.stdout.flush()


main()
