"""Ending deliveries together with their one reply, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from relaykit.mailbox import rows
from relaykit.mailbox.chain import after, is_answered, reply_to
from relaykit.mailbox.ends import end
from relaykit.mailbox.entry import post
from relaykit.mailbox.leases import fields, lost, note
from relaykit.mailbox.rows import DeliveryRow
from relaykit.model import Draft, Lease, Message, MessageKind, Noted, Report, State, Wish
from relaykit.storage.audience import Audience, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.mailbox.transaction import Transaction

_HELD = (
    f"SELECT {rows.DELIVERY}, {rows.MESSAGE}, (SELECT messages > 0 FROM queue WHERE recipient = delivery.recipient) "
    f"OR EXISTS (SELECT 1 FROM pool WHERE agent = delivery.recipient AND pool.delivery <> delivery.id) {rows.JOINED} "
    "WHERE ended_at IS NULL AND delivery.id = ?"
)
"""A delivery with its message, and whether more waits for its recipient, or for any of a group that it is in."""


@told(Audience.NAMED)
def settle(
    tx: Transaction,
    leases: Sequence[Lease],
    state: State,
    reason: str,
    *,
    reply: Draft | None = None,
    partial: str = "",
    noted: Sequence[Noted] = (),
    report: Report | None = None,
) -> bool:
    """End deliveries that a turn took, with the one reply that names them all, or with their notices.

    Returns whether anything may wait for the agent that held them.

    One that was to be cancelled ends ``cancelled`` however its turn ended, and the reply does not name it; where all
    were, there is no reply. Nor does it name one that the agent has answered in the middle of its turn.
    """
    found = [_held(tx, lease) for lease in leases]
    held = [(delivery, message) for delivery, message, _ in found]
    note(tx, noted, report)
    for delivery, message in held:
        end(tx, delivery, message, *_end_of(delivery, state, reason), partial=partial)
    if reply is not None:
        answered = [pair for pair in held if pair[0].wish != Wish.CANCEL and not _has_reply(tx, *pair)]
        if answered:
            _reply(tx, reply, answered)
    return any(waits or delivery.recipient in tx.named for delivery, _, waits in found)


def follow_up(tx: Transaction, delivery: int, id: str, text: str) -> Message | None:
    """Put what a turn that nobody asked for has to say to whom the delivery's own turn answered, in its thread."""
    row = tx.row(f"SELECT {rows.BOTH} WHERE delivery.id = ?", delivery)
    if row is None:
        return None
    cause, message = rows.both(row)
    to = reply_to(tx, cause.recipient, message)
    if to is None:
        return None
    if earlier := tx.row(f"SELECT {rows.MESSAGE} FROM message WHERE id = ? AND account = ''", id):
        return rows.message(earlier)
    draft = Draft(
        id=id,
        sender=cause.recipient,
        to=to.recipient,
        body=text,
        thread=to.thread,
        kind=MessageKind.FOLLOW_UP,
        in_reply_to=(to.message,),
    )
    return post(tx, draft, after(cause.id, message))


def _held(tx: Transaction, lease: Lease) -> tuple[DeliveryRow, Message, bool]:
    row = tx.row(_HELD, lease.delivery)
    if row is not None:
        delivery, message = rows.both(row)
        if (delivery.id, delivery.owner, delivery.epoch, delivery.attempt) == fields(lease):
            return delivery, message, bool(row[-1])
    raise lost(lease)


def _end_of(delivery: DeliveryRow, state: State, reason: str) -> tuple[State, str]:
    if delivery.wish == Wish.CANCEL:
        return State.CANCELLED, f"cancelled; its turn {state}" + (f": {reason}" if reason else "")
    return state, reason


def _has_reply(tx: Transaction, delivery: DeliveryRow, message: Message) -> bool:
    asked = reply_to(tx, delivery.recipient, message)
    return asked is not None and is_answered(tx, delivery.id, delivery.recipient, asked.message)


def _reply(tx: Transaction, reply: Draft, answered: Sequence[tuple[DeliveryRow, Message]]) -> None:
    first, message = answered[0]
    in_reply_to = tuple(said.id for _, said in answered)
    if reply.kind is MessageKind.FOLLOW_UP and (asked := reply_to(tx, first.recipient, message)):
        in_reply_to = (asked.message,)
    post(tx, replace(reply, in_reply_to=in_reply_to), after(first.id, message))
