"""What the transport must still know after a crash: how far groups were read, and what was sent under which id."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from relaykit.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

_VERSION = 1
_KEPT = 90 * 86400.0
_SCHEMA = """
CREATE TABLE mark (conversation TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE sent (message TEXT, recipient TEXT, thread TEXT NOT NULL, at REAL NOT NULL, id TEXT, conversation TEXT,
    PRIMARY KEY (message, recipient)) WITHOUT ROWID;
CREATE INDEX sent_id ON sent (id) WHERE id IS NOT NULL;
CREATE INDEX sent_at ON sent (at);
"""


class SentRecord(Struct, frozen=True):
    """A message that was sent, or may have been."""

    message: str
    recipient: str
    thread: str
    id: str | None
    """The server's id; None while no answer is known."""
    conversation: str | None


class State:
    """A small SQLite file. Each call is one transaction, synced: what was told to the other side is not forgotten."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def mark(self, conversation: str) -> float | None:
        """Return the server's time up to which a group was read."""
        row = self._one("SELECT at FROM mark WHERE conversation = ?", conversation)
        return None if row is None else row[0]

    def set_mark(self, conversation: str, at: float) -> None:
        """Note how far a group was read."""
        self._write("INSERT OR REPLACE INTO mark VALUES (?, ?)", conversation, at)

    def trying(self, message: str, recipient: str, thread: str) -> None:
        """Note that a message is about to be sent."""
        self._write(
            "INSERT OR IGNORE INTO sent VALUES (?, ?, ?, ?, NULL, NULL)", message, recipient, thread, time.time()
        )

    def took(self, message: str, recipient: str, id: str | None, conversation: str | None) -> None:
        """Note that the server took it; a server that gives no id is believed."""
        statement = "UPDATE sent SET id = ?, conversation = ? WHERE message = ? AND recipient = ?"
        self._write(statement, id or "", conversation, message, recipient)

    def not_sent(self, message: str, recipient: str) -> None:
        """Note that it was not sent after all, for certain."""
        self._write("DELETE FROM sent WHERE message = ? AND recipient = ? AND id IS NULL", message, recipient)

    def sent(self, message: str, recipient: str) -> SentRecord | None:
        """Return what is known of an earlier try."""
        return self._record("WHERE message = ? AND recipient = ?", message, recipient)

    def by_id(self, id: str) -> SentRecord | None:
        """Return the message of ours that the server knows under that id."""
        return self._record("WHERE id = ? AND id <> ''", id)

    def conversation_with(self, recipient: str) -> str | None:
        """Return the conversation that the last message to somebody went into."""
        row = self._one(
            "SELECT conversation FROM sent WHERE recipient = ? AND conversation IS NOT NULL ORDER BY at DESC", recipient
        )
        return None if row is None else row[0]

    def _record(self, where: str, *values: object) -> SentRecord | None:
        row = self._one(f"SELECT message, recipient, thread, id, conversation FROM sent {where}", *values)  # noqa: S608
        return None if row is None else SentRecord(*row)

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        with _saying():
            row: tuple[Any, ...] | None = self._database.execute(statement, values).fetchone()
        return row

    def _write(self, statement: str, *values: object) -> None:
        with _saying(), self._database:
            self._database.execute(statement, values)


@contextmanager
def open_state(path: Path) -> Iterator[State]:
    """Open the file; StoreError where it cannot be used."""
    with _saying(), closing(sqlite3.connect(path, timeout=10.0)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise StoreError(f"{path}: it was written by a newer relaykit-signaldock; upgrade this one")
        if version == 0:
            database.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
        with database:
            database.execute("DELETE FROM sent WHERE at < ?", (time.time() - _KEPT,))
        path.chmod(0o600)
        yield State(database)


@contextmanager
def _saying() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"the transport's own file cannot be used: {error}") from error
