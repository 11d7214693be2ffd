"""Deliveries and their messages by what their end takes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from relaykit.mailbox import rows
from relaykit.model import MessageKind

if TYPE_CHECKING:
    from relaykit.mailbox.rows import DeliveryRow
    from relaykit.model import Message


class Head(Struct, frozen=True, gc=False):
    """A delivery and its message by all that their end takes, which is less than half of either, and no text."""

    kind: MessageKind
    in_reply_to: tuple[str, ...]
    delivery: int
    recipient: str
    attempt: int
    owner: str | None
    epoch: int | None
    wish: str | None
    held: int
    id: str
    sender: str
    to: str
    thread: str
    root: str
    hops: int


HEAD = (
    "message.kind, message.in_reply_to, delivery.id, delivery.recipient, delivery.attempt, delivery.owner, "
    "delivery.epoch, delivery.wish, delivery.held, message.id, message.sender, message.address, message.thread, "
    "message.root, message.hops"
)
_WIDTH = len(Head.__struct_fields__)


def head(row: Any) -> Head:
    """Return the head of a row of ``HEAD``, which may have more columns behind."""
    return Head(rows.KINDS[row[0]], rows.answered(row[1]), *row[2:_WIDTH])


def head_of(delivery: DeliveryRow, message: Message) -> Head:
    """Return the head of a delivery and a message that were read as a whole."""
    return Head(
        kind=message.kind,
        in_reply_to=message.in_reply_to,
        delivery=delivery.id,
        recipient=delivery.recipient,
        attempt=delivery.attempt,
        owner=delivery.owner,
        epoch=delivery.epoch,
        wish=delivery.wish,
        held=delivery.held,
        id=message.id,
        sender=message.sender,
        to=message.to,
        thread=message.thread,
        root=message.root,
        hops=message.hops,
    )
