"""A store that is open: a connection, and the way to run operations on it.

An operation is a plain function whose first argument is the transaction. It may be run again after a roll-back,
so it does nothing but read and write the store. It refuses (raises a RelaykitError) before its first write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Concatenate, Generic, ParamSpec, TypeVar

from relaykit.storage.audience import Audience, audience_of
from relaykit.storage.connect import BUSY_SECONDS, WAL_PAGES, Schema, connect
from relaykit.storage.faults import translate

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")


class Database(Generic[T]):
    """An open store, used by one thread at a time.

    Args:
        path: The file, or ``:memory:``.
        schema: What is in it.
        transaction: Makes what operations get as their first argument. Called once per transaction, inside it.
        busy_seconds: How long another process may hold the file before an operation gives up.
    """

    def __init__(
        self,
        path: Path | str,
        schema: Schema,
        transaction: Callable[[sqlite3.Connection], T],
        *,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self.path = str(path)
        self.connection = connect(path, schema, busy_seconds=busy_seconds)
        self._begun = transaction
        self._busy_seconds = busy_seconds
        self._synced = False
        self._patient = True

    def run(self, operation: Callable[Concatenate[T, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run one operation in a transaction of its own; nothing of it is kept where it raises."""
        with self.transaction(audience_of(operation)) as transaction:
            return operation(transaction, *args, **kwargs)

    @contextmanager
    def transaction(self, audience: Audience) -> Iterator[T]:
        """Yield a transaction for an operation of that audience; nothing of it is kept where the block raises."""
        transaction = self.begin(audience)
        try:
            yield transaction
            self.commit()
        except BaseException as error:
            self.roll_back()
            if isinstance(error, sqlite3.Error):
                raise translate(error, self.path) from error
            raise

    def begin(self, audience: Audience, *, synced: bool = False, patient: bool = True) -> T:
        """Begin a transaction, which writes where anybody is to be told.

        Args:
            audience: Who has to look afterwards.
            synced: Have it survive loss of power, too.
            patient: Wait where another process holds the file, and move a long log into it at the end. Else
                StoreBusyError says at once that it is held, and the log is left to who is.

        Raises:
            StoreError: The store cannot be used now.
        """
        try:
            self._prepare(synced=synced, patient=patient)
            self.connection.execute("BEGIN IMMEDIATE" if audience else "BEGIN")
        except sqlite3.Error as error:
            raise translate(error, self.path) from error
        return self._begun(self.connection)

    def _prepare(self, *, synced: bool, patient: bool) -> None:
        if patient is not self._patient:
            self.connection.execute(f"PRAGMA busy_timeout = {int(self._busy_seconds * 1000) if patient else 0}")
            self.connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES if patient else 0}")
            self._patient = patient
        if synced is not self._synced:
            # Inside a transaction SQLite refuses.
            self.connection.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
            self._synced = synced

    def commit(self) -> None:
        """Keep what the transaction wrote. Raises sqlite3.Error."""
        self.connection.execute("COMMIT")

    def roll_back(self) -> None:
        """Undo what the transaction wrote. After some faults SQLite has done so itself."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    @property
    def changes(self) -> int:
        """Rows written so far: it grows by every write, undone ones too."""
        return self.connection.total_changes

    def close(self) -> None:
        """Close the file."""
        self.connection.close()
