"""``relaykit edit``: give a queued message another text."""

from __future__ import annotations

from typing import Annotated

from relaykit.cli.calling import examples
from relaykit.cli.changing import tell_changed
from relaykit.cli.mail import mailbox
from relaykit.cli.options import Json, Recipient
from relaykit.cli.parameters import Argument
from relaykit.cli.text import given_text
from relaykit.mailbox import queueing, reading


@examples('relaykit edit 5f0c21e8 "Look at the last two commits."', "relaykit edit 5f0c21e8 - < question.md")
def edit(
    message: Annotated[str, Argument("ID", "A message's id; it may be cut short where that is plain.")],
    text: Annotated[str | None, Argument("TEXT", "Its new text; - or none reads standard input.")] = None,
    to: Recipient = None,
    json: Json = False,
) -> None:
    """Give a message that is still queued another text; it keeps its id and its place.

    One that was handed over is left alone, and that ends with 4.
    """
    body = given_text(text)
    with mailbox() as door:
        found = door.run(reading.trace, message).message.id
        deliveries = door.run(queueing.edit, found, body, recipient=to)
    tell_changed(found, deliveries, json=json)
