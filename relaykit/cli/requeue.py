"""``relaykit requeue``: try a message once more."""

from __future__ import annotations

from typing import Annotated

from relaykit.cli.calling import examples
from relaykit.cli.changing import tell_changed
from relaykit.cli.mail import mailbox
from relaykit.cli.options import Json, Recipient
from relaykit.cli.parameters import Argument
from relaykit.mailbox import reading, recall


@examples("relaykit requeue 5f0c21e8", "relaykit requeue 5f0c21e8 --to reviewer")
def requeue(
    message: Annotated[str, Argument("ID", "A message's id; it may be cut short where that is plain.")],
    to: Recipient = None,
    json: Json = False,
) -> None:
    """Queue a message's deliveries that ended otherwise than well once more; they keep their place."""
    with mailbox() as door:
        found = door.run(reading.trace, message).message.id
        deliveries = door.run(recall.requeue, found, recipient=to)
    tell_changed(found, deliveries, json=json)
