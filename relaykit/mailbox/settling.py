"""Ending deliveries together with their one reply, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from relaykit.mailbox import heads, rows
from relaykit.mailbox.chain import after, is_answered, reply_to
from relaykit.mailbox.ends import end
from relaykit.mailbox.entry import post
from relaykit.mailbox.leases import fields, lost, note
from relaykit.model import Draft, Lease, Message, MessageKind, Noted, Report, State, Wish
from relaykit.storage.audience import Audience, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.mailbox.heads import Head
    from relaykit.mailbox.transaction import Transaction

_HELD = (
    f"SELECT {heads.HEAD}, (SELECT messages > 0 FROM queue WHERE recipient = delivery.recipient) "
    f"OR EXISTS (SELECT 1 FROM pool WHERE agent = delivery.recipient AND pool.delivery <> delivery.id) {rows.JOINED} "
    "WHERE ended_at IS NULL AND delivery.id = ?"
)
"""A delivery's head, and whether more waits for its recipient, or for any of a group that it is in."""


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
    note(tx, noted, report)
    for head, _ in found:
        end(tx, head, *_end_of(head, state, reason), partial=partial)
    if reply is not None:
        answered = [head for head, _ in found if head.wish != Wish.CANCEL and not _has_reply(tx, head)]
        if answered:
            _reply(tx, reply, answered)
    return any(waits or head.recipient in tx.named for head, waits in found)


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


def _held(tx: Transaction, lease: Lease) -> tuple[Head, bool]:
    row = tx.row(_HELD, lease.delivery)
    if row is not None:
        head = heads.head(row)
        if (head.delivery, head.owner, head.epoch, head.attempt) == fields(lease):
            return head, bool(row[-1])
    raise lost(lease)


def _end_of(head: Head, state: State, reason: str) -> tuple[State, str]:
    if head.wish != Wish.CANCEL:
        return state, reason
    if state is State.CANCELLED:
        return state, reason
    # Only what no agent leased is without a turn.
    what = "its turn ended" if head.epoch else "it had gone out, and ended"
    return State.CANCELLED, f"cancelled; {what} {state}" + (f": {reason}" if reason else "")


def _has_reply(tx: Transaction, head: Head) -> bool:
    asked = reply_to(tx, head.recipient, head)
    return asked is not None and is_answered(tx, head.delivery, head.recipient, asked.message)


def _reply(tx: Transaction, reply: Draft, answered: Sequence[Head]) -> None:
    first = answered[0]
    # Several of them may be answers to what one question made the agent ask.
    in_reply_to = tuple(dict.fromkeys(_asked(tx, head) for head in answered))
    post(tx, replace(reply, in_reply_to=in_reply_to), after(first.delivery, first))


def _asked(tx: Transaction, head: Head) -> str:
    """Return the message that a turn on this one answers: itself, or what an answer to the agent's own leads back to."""
    asked = None if head.kind is MessageKind.MESSAGE else reply_to(tx, head.recipient, head)
    return asked.message if asked else head.id
