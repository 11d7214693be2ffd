"""``relaykit move``: put a queued message elsewhere in its queue."""

from __future__ import annotations

from typing import Annotated

from relaykit.cli.calling import examples
from relaykit.cli.changing import tell_changed
from relaykit.cli.mail import mailbox
from relaykit.cli.options import Json, Recipient
from relaykit.cli.parameters import Argument, Option
from relaykit.errors import UsageError
from relaykit.mailbox import queueing, reading


@examples("relaykit move 5f0c21e8 --first", "relaykit move 5f0c21e8 --before 0d9a77c1 --to reviewer")
def move(
    message: Annotated[str, Argument("ID", "A message's id; it may be cut short where that is plain.")],
    first: Annotated[bool, Option("--first", help="Before all that wait.")] = False,
    before: Annotated[str | None, Option("--before", metavar="ID", help="Right before that message.")] = None,
    to: Recipient = None,
    json: Json = False,
) -> None:
    """Put a message that is still queued before another one, or first; it takes the priority of what it stands before.

    One that was handed over is left alone, and that ends with 4.
    """
    if first == (before is not None):
        raise UsageError("say where it goes: --first, or --before ID")
    with mailbox() as door:
        found = door.run(reading.trace, message).message.id
        deliveries = door.run(queueing.move, found, before=before, recipient=to)
    tell_changed(found, deliveries, json=json)
