"""How a delivery ends: once, with a reason, and with a notice to the sender where it did not end well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.mailbox import rows
from relaykit.mailbox.chain import after
from relaykit.mailbox.entry import post
from relaykit.model import Draft, Message, MessageKind, State

if TYPE_CHECKING:
    from relaykit.mailbox.rows import DeliveryRow
    from relaykit.mailbox.transaction import Transaction

_SHOWN = 8
"""Characters of an id that are enough for people."""


def end(
    tx: Transaction, delivery: DeliveryRow, message: Message, state: State, reason: str, *, partial: str = ""
) -> None:
    """End a delivery that is under way; the caller has checked that it may. ``partial`` goes into the notice."""
    tx.named.add(message.sender)
    reason = rows.line(reason)
    tx.write(
        "UPDATE delivery SET state = ?, reason = ?, owner = NULL, epoch = NULL, held = 0, ended_at = ?, "
        "steps = steps || ? WHERE id = ?",
        state,
        reason,
        tx.now,
        rows.step(state, tx.now, reason),
        delivery.id,
    )
    if message.to.startswith("any:"):
        tx.write("DELETE FROM pool WHERE delivery = ?", delivery.id)
    if delivery.held:
        tx.write("UPDATE permission SET state = 'withdrawn' WHERE delivery = ? AND state = 'open'", delivery.id)
    if state.noticed and message.kind is not MessageKind.NOTICE:
        _notice(tx, delivery, message, _told(delivery, message, state, reason) + _so_far(partial))


def under_way(tx: Transaction, condition: str, *values: object) -> list[tuple[DeliveryRow, Message]]:
    """Return deliveries that have not ended, with their messages, in the order of arrival."""
    found = tx.rows(f"SELECT {rows.BOTH} WHERE ended_at IS NULL AND {condition}", *values)
    return [rows.both(row) for row in found]


def _told(delivery: DeliveryRow, message: Message, state: State, reason: str) -> str:
    why = f": {reason}" if reason else ""
    return rows.line(f"message {message.id[:_SHOWN]} to {delivery.recipient} ended {state}{why}")


def _so_far(partial: str) -> str:
    return f"\n\nUntil then it had written:\n\n{partial}" if partial else ""


def _notice(tx: Transaction, delivery: DeliveryRow, message: Message, body: str) -> None:
    draft = Draft(
        sender=delivery.recipient,
        to=message.sender,
        body=body,
        thread=message.thread,
        kind=MessageKind.NOTICE,
        in_reply_to=(message.id,),
    )
    post(tx, draft, after(delivery.id, message))
