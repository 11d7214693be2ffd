"""``relaykit cancel``: take a message back."""

from __future__ import annotations

from typing import Annotated

from relaykit.cli.calling import examples
from relaykit.cli.changing import tell_changed
from relaykit.cli.mail import mailbox
from relaykit.cli.options import Json, Recipient
from relaykit.cli.parameters import Argument, Option
from relaykit.mailbox import reading, recall


@examples("relaykit cancel 5f0c21e8", "relaykit cancel 5f0c21e8 --to reviewer --interrupt")
def cancel(
    message: Annotated[str, Argument("ID", "A message's id; it may be cut short where that is plain.")],
    interrupt: Annotated[bool, Option("--interrupt", help="Also where its turn has begun: interrupt it.")] = False,
    to: Recipient = None,
    json: Json = False,
) -> None:
    """Cancel a message: what is queued is gone, what was handed over is withdrawn where the provider can.

    A turn that has begun is left alone, and that ends with 4, unless --interrupt is given.
    """
    with mailbox() as door:
        found = door.run(reading.trace, message).message.id
        deliveries = door.run(recall.cancel, found, recipient=to, interrupt=interrupt)
    tell_changed(found, deliveries, json=json, otherwise=f"to be cancelled, see `relaykit trace {found}`")
