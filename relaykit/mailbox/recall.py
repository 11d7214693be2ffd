"""Taking messages back, and sending them off once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.errors import RefusedError
from relaykit.mailbox import lookup, rows
from relaykit.mailbox.directory import Known
from relaykit.mailbox.ends import end
from relaykit.mailbox.entry import enter_pool
from relaykit.mailbox.letters import route
from relaykit.model import Delivery, Message, State, Wish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.mailbox.transaction import Transaction


def cancel(
    tx: Transaction, message: str, *, recipient: str | None = None, interrupt: bool = False
) -> Sequence[Delivery]:
    """Cancel a message's deliveries; return them as they are now."""
    number, found = lookup.message(tx, message)
    chosen = lookup.deliveries(tx, number, found, recipient)
    begun = [delivery.recipient for delivery in chosen if delivery.state is State.SEEN]
    if begun and not interrupt:
        raise RefusedError(f"{', '.join(begun)} has begun with message {found.id}; --interrupt ends its turn")
    return [_cancel(tx, delivery, found) for delivery in chosen]


def requeue(tx: Transaction, message: str, *, recipient: str | None = None) -> Sequence[Delivery]:
    """Queue a message's deliveries that ended otherwise than well once more; they keep their place."""
    number, found = lookup.message(tx, message)
    chosen = lookup.deliveries(tx, number, found, recipient)
    failed = [delivery for delivery in chosen if delivery.state.ended and not delivery.state.ended_well]
    if not failed:
        states = ", ".join(f"{delivery.recipient} {delivery.state}" for delivery in chosen)
        raise RefusedError(f"nothing of message {found.id} ended otherwise than well: {states}")
    members = route(tx, Known(tx), found.to, found.sender).recipients if found.to.startswith("any:") else ()
    return [_requeue(tx, delivery, found, members) for delivery in failed]


def _cancel(tx: Transaction, delivery: Delivery, message: Message) -> Delivery:
    if delivery.state.ended:
        return delivery
    if delivery.state is State.QUEUED:
        return end(tx, delivery, message, State.CANCELLED, "cancelled while it was queued")
    row = tx.row(
        f"UPDATE delivery SET wish = ?, steps = steps || ? WHERE id = ? RETURNING {rows.DELIVERY}",
        Wish.CANCEL,
        rows.step(delivery.state, tx.now, "to be cancelled"),
        delivery.id,
    )
    return rows.delivery(row, message.id)


def _requeue(tx: Transaction, delivery: Delivery, message: Message, members: Sequence[str]) -> Delivery:
    row = tx.row(
        "UPDATE delivery SET state = 'queued', reason = 'queued once more', recipient = ?, deaths = 0, wish = NULL, "
        f"expires_at = NULL, ended_at = NULL, steps = steps || ? WHERE id = ? RETURNING {rows.DELIVERY}",
        message.to if members else delivery.recipient,
        rows.step(State.QUEUED, tx.now, "queued once more"),
        delivery.id,
    )
    queued = rows.delivery(row, message.id)
    enter_pool(tx, queued, members)
    return queued
