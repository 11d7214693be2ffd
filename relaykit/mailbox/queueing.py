"""Changing what waits: its text, and its place in the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from relaykit.errors import NotFoundError, RefusedError
from relaykit.mailbox import lookup, rows
from relaykit.mailbox.directory import Known
from relaykit.mailbox.letters import check_body, too_long
from relaykit.mailbox.recall import chosen
from relaykit.mailbox.rows import DeliveryRow
from relaykit.model import Delivery, Message, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.mailbox.transaction import Transaction

_SHOWN = 8
"""Characters of an id that are enough for people."""


class _Waiting(NamedTuple):
    """One that waits, by what its queue is ordered by."""

    rank: int
    place: int
    id: int
    message: int


def edit(tx: Transaction, message: str, body: str, *, recipient: str | None = None) -> Sequence[Delivery]:
    """Give a message's queued deliveries another text; the message itself stays as it was put."""
    number, found = lookup.message(tx, message)
    if found.kind.automatic:
        raise RefusedError(f"message {found.id} is a {found.kind} of {found.sender}; only what someone wrote is edited")
    size = check_body(tx, body)
    meant = _queued(tx, number, found, recipient)
    refusals = filter(None, (too_long(Known(tx).agent(delivery.recipient), body) for delivery in meant))
    if refusal := next(refusals, None):
        raise RefusedError(refusal)
    return [_edit(tx, delivery, found, body, size) for delivery in meant]


def move(
    tx: Transaction, message: str, *, before: str | None = None, recipient: str | None = None
) -> Sequence[Delivery]:
    """Put a message's queued deliveries right before another's in their queues, or first."""
    number, found = lookup.message(tx, message)
    other = None if before is None else lookup.message(tx, before)
    return [_move(tx, delivery, found, other) for delivery in _queued(tx, number, found, recipient)]


def _queued(tx: Transaction, number: int, message: Message, recipient: str | None) -> list[DeliveryRow]:
    """Return the deliveries that are meant, all of which have to be queued."""
    meant = chosen(tx, number, message, recipient)
    begun = [f"{delivery.recipient} {delivery.state}" for delivery in meant if delivery.state != State.QUEUED]
    if begun:
        more = "; --to NAME chooses another" if len(meant) > len(begun) else ""
        raise RefusedError(f"message {message.id} is not queued any more: {', '.join(begun)}{more}")
    return meant


def _edit(tx: Transaction, delivery: DeliveryRow, message: Message, body: str, size: int) -> Delivery:
    if "@" in delivery.recipient and delivery.attempt:
        raise RefusedError(f"message {message.id} may be at {delivery.recipient} already: it was sent before")
    (before,) = tx.row("SELECT bytes FROM delivery WHERE id = ?", delivery.id)
    (waiting,) = tx.row("SELECT bytes FROM queue WHERE recipient = ?", delivery.recipient)
    if size > before and waiting - before + size > tx.limits.queued_bytes:
        raise RefusedError(f"{delivery.recipient} is full: {tx.limits.queued_bytes} bytes may wait for it")
    step = rows.step(State.QUEUED, tx.now, f"edited; it has {len(body)} characters now")
    tx.write("UPDATE delivery SET body = ?, bytes = ?, steps = steps || ? WHERE id = ?", body, size, step, delivery.id)
    tx.write("UPDATE queue SET bytes = bytes + ? WHERE recipient = ?", size - before, delivery.recipient)
    return rows.delivery(replace(delivery, body=body, steps=delivery.steps + step), message.id)


def _move(tx: Transaction, delivery: DeliveryRow, message: Message, other: tuple[int, Message] | None) -> Delivery:
    queue = _queue(tx, delivery.recipient)
    target = queue[0] if other is None else next((one for one in queue if one.message == other[0]), None)
    if target is None:
        raise NotFoundError(
            f"message {other[1].id if other else ''} does not wait in the queue of {delivery.recipient}"
        )
    if target.id == delivery.id:
        return rows.delivery(delivery, message.id)
    place = _make_room(tx, queue, delivery, target)
    moved = replace(delivery, rank=target.rank, place=place)
    where = f"before message {other[1].id[:_SHOWN]}" if other else "to the front of the queue"
    now = rows.delivery(moved, message.id)
    change = f"; its priority is {now.priority} now" if target.rank != delivery.rank else ""
    step = rows.step(State.QUEUED, tx.now, f"moved {where}{change}")
    tx.write("UPDATE delivery SET steps = steps || ? WHERE id = ?", step, delivery.id)
    return rows.delivery(replace(moved, steps=delivery.steps + step), message.id)


def _queue(tx: Transaction, recipient: str) -> list[_Waiting]:
    """Return what a recipient may be handed, what waits for any of its groups included, in order."""
    found = tx.rows(
        f"SELECT rank, {rows.PLACE}, id, message FROM delivery "
        "WHERE recipient = ? AND ended_at IS NULL AND state = 'queued' UNION ALL "
        f"SELECT delivery.rank, {rows.PLACE}, id, message FROM pool JOIN delivery ON delivery.id = pool.delivery "
        "WHERE pool.agent = ? AND ended_at IS NULL AND state = 'queued'",
        recipient,
        recipient,
    )
    return sorted(map(_Waiting._make, found))


def _make_room(tx: Transaction, queue: Sequence[_Waiting], delivery: DeliveryRow, target: _Waiting) -> int:
    """Hand out the places of the target's rank anew; return the one before the target.

    Places are exchanged and never invented, so what arrives later still stands behind them all.
    """
    rank = [one for one in queue if one.rank == target.rank and one.id != delivery.id]
    at = rank.index(target)
    order = [one.id for one in rank]
    order.insert(at, delivery.id)
    places = sorted([*(one.place for one in rank), delivery.order[1]])
    changed = [(target.rank, place, number) for place, number in zip(places, order, strict=True)]
    tx.write_many("UPDATE delivery SET rank = ?, place = ? WHERE id = ?", changed)
    tx.write_many("UPDATE pool SET rank = ?, place = ? WHERE delivery = ?", changed)
    return places[at]
