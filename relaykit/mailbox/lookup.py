"""Finding things by their ids, which people cut short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.errors import NotFoundError
from relaykit.mailbox import rows
from relaykit.mailbox.rows import DeliveryRow
from relaykit.model import Delivery, Message, Reaction, Task

if TYPE_CHECKING:
    from relaykit.mailbox.transaction import Transaction

_SHORTEST = 4
_NAMED = 3
"""Ids that are named where several begin so."""
_NAMES = {"permission": "permission request"}
_LAST = "\U0010ffff"


def full_id(tx: Transaction, table: str, text: str) -> str:
    """Return the id in the table that the text is, or is the unambiguous beginning of. NotFoundError."""
    if tx.row(f"SELECT 1 FROM {table} WHERE id = ?", text):
        return text
    found: list[str] = []
    if len(text) >= _SHORTEST:
        found = tx.column(
            f"SELECT DISTINCT id FROM {table} WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            text,
            text + _LAST,
            _NAMED + 1,
        )
    what = _NAMES.get(table, table)
    if not found:
        short = "" if len(text) >= _SHORTEST else f"; of one that is cut short, {_SHORTEST} characters are needed"
        raise NotFoundError(f"no {what} has the id {text!r}{short}")
    if len(found) > 1:
        named = ", ".join((*found[:_NAMED], *("…" for _ in found[_NAMED:])))
        raise NotFoundError(f"several ids of a {what} begin with {text!r}: {named}")
    return found[0]


def message(tx: Transaction, text: str) -> tuple[int, Message]:
    """Return the number of a message and itself; of several accounts' with one id the latest."""
    (number, *row) = tx.row(
        f"SELECT number, {rows.MESSAGE} FROM message WHERE id = ? ORDER BY number DESC", full_id(tx, "message", text)
    )
    return number, rows.message(row)


def exact(tx: Transaction, id: str) -> tuple[int, Message]:
    """Return a message by its whole id: who may not see every message is told of no other's."""
    row = tx.row(f"SELECT number, {rows.MESSAGE} FROM message WHERE id = ? ORDER BY number DESC", id)
    if row is None:
        raise NotFoundError(f"no message has the id {id!r}")
    return row[0], rows.message(row[1:])


def deliveries(tx: Transaction, number: int, message: Message) -> tuple[Delivery, ...]:
    """Return the deliveries of a message, in the order of arrival."""
    return tuple(rows.delivery(row, message.id) for row in delivery_rows(tx, number))


def delivery_rows(tx: Transaction, number: int) -> list[DeliveryRow]:
    """Return the deliveries of a message as they are stored, in the order of arrival."""
    found = tx.rows(f"SELECT {rows.DELIVERY} FROM delivery WHERE message = ? ORDER BY id", number)
    return [DeliveryRow(*row) for row in found]


def delivery(tx: Transaction, number: int, message: Message) -> Delivery:
    """Return a delivery as it stands now."""
    row = tx.row(f"SELECT {rows.DELIVERY} FROM delivery WHERE id = ?", number)
    return rows.delivery(DeliveryRow(*row), message.id)


def answers(tx: Transaction, message: Message) -> list[Message]:
    """Return what was said in answer to a message, oldest first."""
    found = tx.rows(
        f"SELECT {rows.MESSAGE} FROM answer JOIN message ON number = message WHERE answered = ? ORDER BY number",
        message.id,
    )
    return [rows.message(row) for row in found]


def tasks(tx: Transaction, number: int) -> tuple[Task, ...]:
    """Return the tasks of a message, one for each delivery."""
    return tuple(map(rows.task, tx.rows(f"SELECT {rows.TASK} WHERE delivery.message = ? ORDER BY delivery.id", number)))


def task(tx: Transaction, delivery: int) -> Task | None:
    """Return the task of a delivery, if its message carries one."""
    row = tx.row(f"SELECT {rows.TASK} WHERE task.delivery = ?", delivery)
    return rows.task(row) if row else None


def reactions(tx: Transaction, message: str) -> tuple[Reaction, ...]:
    """Return the reactions to a message, oldest first."""
    found = tx.rows(
        "SELECT who, what, at FROM message JOIN reaction ON reaction.message = number WHERE id = ? ORDER BY at, who",
        message,
    )
    return tuple(Reaction(who=who, what=what, at=at) for who, what, at in found)
