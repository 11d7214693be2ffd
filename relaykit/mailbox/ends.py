"""How a delivery ends: once, with a reason, and with a notice to the sender where it did not end well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.mailbox import heads, rows
from relaykit.mailbox.chain import after
from relaykit.mailbox.entry import post
from relaykit.model import Draft, MessageKind, State

if TYPE_CHECKING:
    from relaykit.mailbox.heads import Head
    from relaykit.mailbox.transaction import Transaction

_SHOWN = 8
"""Characters of an id that are enough for people."""


def end(tx: Transaction, head: Head, state: State, reason: str, *, partial: str = "") -> None:
    """End a delivery that is under way; the caller has checked that it may. ``partial`` goes into the notice."""
    tx.named.add(head.sender)
    reason = rows.line(reason)
    tx.write(
        "UPDATE delivery SET state = ?, reason = ?, owner = NULL, epoch = NULL, held = 0, ended_at = ?, "
        "steps = steps || ? WHERE id = ?",
        state,
        reason,
        tx.now,
        rows.step(state, tx.now, reason),
        head.delivery,
    )
    if head.to.startswith("any:"):
        tx.write("DELETE FROM pool WHERE delivery = ?", head.delivery)
    if head.held:
        tx.write("UPDATE permission SET state = 'withdrawn' WHERE delivery = ? AND state = 'open'", head.delivery)
    if state.noticed and head.kind is not MessageKind.NOTICE:
        _notice(tx, head, _told(head, state, reason) + _so_far(partial))


def under_way(tx: Transaction, condition: str, *values: object) -> list[Head]:
    """Return the heads of deliveries that have not ended, in the order of arrival."""
    found = tx.rows(f"SELECT {heads.HEAD} {rows.JOINED} WHERE ended_at IS NULL AND {condition}", *values)
    return [heads.head(row) for row in found]


def _told(head: Head, state: State, reason: str) -> str:
    why = f": {reason}" if reason else ""
    return rows.line(f"message {head.id[:_SHOWN]} to {head.recipient} ended {state}{why}")


def _so_far(partial: str) -> str:
    return f"\n\nUntil then it had written:\n\n{partial}" if partial else ""


def _notice(tx: Transaction, head: Head, body: str) -> None:
    draft = Draft(
        sender=head.recipient,
        to=head.sender,
        body=body,
        thread=head.thread,
        kind=MessageKind.NOTICE,
        in_reply_to=(head.id,),
    )
    post(tx, draft, after(head.delivery, head))
