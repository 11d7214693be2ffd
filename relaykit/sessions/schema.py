"""What is in the session store's file."""

from __future__ import annotations

from pathlib import Path
from sqlite3 import Connection

from relaykit.storage.connect import BUSY_SECONDS, Schema
from relaykit.storage.database import Database

FILE = "sessions.db"
"""Its name in the home directory."""

_VERSION_1 = """
CREATE TABLE agents (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    bytes INTEGER NOT NULL DEFAULT 0  -- of its events: counting them would take ever longer
);
CREATE TABLE sessions (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    agent TEXT NOT NULL,
    provider TEXT NOT NULL,
    cwd TEXT NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL,
    last_number INTEGER NOT NULL DEFAULT 0  -- outlives the events, so that no number is ever used twice
);
CREATE INDEX sessions_by_agent ON sessions (agent);
CREATE TABLE events (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT,  -- likewise
    agent INTEGER NOT NULL,
    session INTEGER NOT NULL,
    number INTEGER NOT NULL,  -- in step with sessions.last_number, which is what keeps it unique
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX events_by_agent ON events (agent);
CREATE INDEX events_by_session ON events (session);
CREATE INDEX events_by_time ON events (at);
CREATE TABLE partials (
    session INTEGER NOT NULL,
    block TEXT NOT NULL,
    text BLOB NOT NULL,
    PRIMARY KEY (session, block)
) WITHOUT ROWID;
"""

SCHEMA = Schema(name="session store", migrations=(_VERSION_1,))


def open_database(path: Path | str, *, busy_seconds: float = BUSY_SECONDS) -> Database[Connection]:
    """Open the file, or ``:memory:``; operations get the connection itself. StoreError."""
    return Database(path, SCHEMA, _itself, busy_seconds=busy_seconds)


def _itself(connection: Connection) -> Connection:
    return connection
