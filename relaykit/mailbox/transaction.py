"""What every operation gets as its first argument."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from relaykit.model import Limits

if TYPE_CHECKING:
    from relaykit.plugin.router import Router


class Transaction(Struct, frozen=True):
    """One transaction on the mailbox: all that an operation may depend on beside its arguments."""

    connection: sqlite3.Connection
    now: float
    """Wall-clock seconds, for steps and expiry. Order never depends on it."""
    routers: Sequence[Router]
    limits: Limits
    named: set[str] = field(default_factory=set)
    """For whom something was queued, and who sent what has ended."""

    def write(self, statement: str, *values: Any) -> int:
        """Run a statement; return how many rows it wrote."""
        return self.connection.execute(statement, values).rowcount

    def insert(self, statement: str, *values: Any) -> int:
        """Insert a row; return its number, 0 where the statement inserted none."""
        inserted = self.connection.execute(statement, values)
        return inserted.lastrowid or 0 if inserted.rowcount else 0

    def row(self, statement: str, *values: Any) -> Any:
        """Return the first row of a query, or None."""
        return self.connection.execute(statement, values).fetchone()

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """Return all rows of a query."""
        return self.connection.execute(statement, values).fetchall()

    def column(self, statement: str, *values: Any) -> list[Any]:
        """Return the first column of a query."""
        return [row[0] for row in self.connection.execute(statement, values)]

    def write_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row."""
        self.connection.executemany(statement, rows)


def transactions(
    now: Callable[[], float], routers: Sequence[Router], limits: Limits
) -> Callable[[sqlite3.Connection], Transaction]:
    """Return what makes the transactions of a mailbox."""
    return partial(_begin, now, tuple(routers), limits)


def _begin(
    now: Callable[[], float], routers: Sequence[Router], limits: Limits, connection: sqlite3.Connection
) -> Transaction:
    return Transaction(connection, now(), routers, limits)
