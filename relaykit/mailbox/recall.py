"""Taking messages back, and sending them off once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from relaykit.errors import NotFoundError, RefusedError
from relaykit.mailbox import lookup, rows
from relaykit.mailbox.directory import Known
from relaykit.mailbox.ends import end
from relaykit.mailbox.entry import enter_pool
from relaykit.mailbox.heads import head_of
from relaykit.mailbox.letters import pool_of
from relaykit.mailbox.reaching import route
from relaykit.mailbox.rows import DeliveryRow
from relaykit.model import Delivery, Message, State, Wish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.mailbox.transaction import Transaction


def cancel(
    tx: Transaction, message: str, *, recipient: str | None = None, interrupt: bool = False
) -> Sequence[Delivery]:
    """Cancel a message's deliveries; return them as they are now."""
    number, found = lookup.message(tx, message)
    meant = chosen(tx, number, found, recipient)
    begun = [delivery.recipient for delivery in meant if delivery.state == State.SEEN]
    if begun and not interrupt:
        raise RefusedError(f"{', '.join(begun)} has begun with message {found.id}; --interrupt ends its turn")
    return [_cancel(tx, delivery, found) for delivery in meant]


def requeue(tx: Transaction, message: str, *, recipient: str | None = None) -> Sequence[Delivery]:
    """Queue a message's deliveries that ended otherwise than well once more; they keep their place."""
    number, found = lookup.message(tx, message)
    meant = chosen(tx, number, found, recipient)
    failed = [delivery for delivery in meant if _ended_badly(State(delivery.state))]
    if not failed:
        states = ", ".join(f"{delivery.recipient} {delivery.state}" for delivery in meant)
        raise RefusedError(f"nothing of message {found.id} ended otherwise than well: {states}")
    return [_requeue(tx, delivery, found, _members(tx, delivery, found)) for delivery in failed]


def chosen(tx: Transaction, number: int, message: Message, recipient: str | None) -> list[DeliveryRow]:
    """Return a message's deliveries, or the one to a recipient; NotFoundError."""
    every = lookup.delivery_rows(tx, number)
    meant = [delivery for delivery in every if recipient in (None, delivery.recipient)]
    if not meant:
        names = ", ".join(delivery.recipient for delivery in every)
        raise NotFoundError(f"message {message.id} has no delivery to {recipient!r}; it goes to {names}")
    return meant


def _ended_badly(state: State) -> bool:
    return state.ended and not state.ended_well


def _cancel(tx: Transaction, delivery: DeliveryRow, message: Message) -> Delivery:
    state = State(delivery.state)
    if state.ended:
        return rows.delivery(delivery, message.id)
    if state is State.QUEUED:
        end(tx, head_of(delivery, message), State.CANCELLED, "cancelled while it was queued")
        return lookup.delivery(tx, delivery.id, message)
    step = rows.step(state, tx.now, "to be cancelled")
    tx.write("UPDATE delivery SET wish = 'cancel', steps = steps || ? WHERE id = ?", step, delivery.id)
    return rows.delivery(replace(delivery, wish=Wish.CANCEL, steps=delivery.steps + step), message.id)


def _members(tx: Transaction, delivery: DeliveryRow, message: Message) -> Sequence[str]:
    """Return who may take it now, where it is for any of a group: who may have changed since it was put."""
    if not message.to.startswith("any:"):
        return ()
    known = Known(tx)
    said = message if delivery.body is None else replace(message, body=delivery.body)
    return pool_of(tx, known, said, route(tx, known, message.to, message.sender))


def _requeue(tx: Transaction, delivery: DeliveryRow, message: Message, members: Sequence[str]) -> Delivery:
    why = "queued once more"
    queued = replace(
        delivery,
        state=State.QUEUED,
        reason=why,
        recipient=message.to if members else delivery.recipient,
        deaths=0,
        wish=None,
        steps=delivery.steps + rows.step(State.QUEUED, tx.now, why),
    )
    tx.write(
        "UPDATE delivery SET state = 'queued', reason = ?, recipient = ?, deaths = 0, wish = NULL, expires_at = NULL, "
        "ended_at = NULL, steps = ? WHERE id = ?",
        why,
        queued.recipient,
        queued.steps,
        queued.id,
    )
    enter_pool(tx, queued, members)
    return rows.delivery(queued, message.id)
