"""What is in the dock's own store, version by version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.errors import StoreVersionError

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_MIGRATIONS = (
    """
    CREATE TABLE agent (id TEXT PRIMARY KEY, record TEXT NOT NULL, seen_at REAL, polled INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE key (hash TEXT PRIMARY KEY, agent TEXT NOT NULL, until REAL) WITHOUT ROWID;
    CREATE INDEX key_agent ON key (agent);
    CREATE TABLE code (agent TEXT PRIMARY KEY, hash TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE conversation (id TEXT PRIMARY KEY, visibility TEXT NOT NULL, created_at REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE participant (
        conversation TEXT NOT NULL, agent TEXT NOT NULL, PRIMARY KEY (conversation, agent)
    ) WITHOUT ROWID;
    CREATE INDEX participant_agent ON participant (agent);
    CREATE TABLE pin (
        conversation TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (conversation, message)
    ) WITHOUT ROWID;
    CREATE TABLE annotation (message TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
    """,
    """
    CREATE TABLE upload (
        agent TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (agent, sha256)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE job (
        agent TEXT PRIMARY KEY, message TEXT NOT NULL, attempts INTEGER NOT NULL, due_at REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE dead_letter (
        agent TEXT NOT NULL, message TEXT NOT NULL, attempts INTEGER NOT NULL, reason TEXT NOT NULL, at REAL NOT NULL,
        PRIMARY KEY (agent, message)
    ) WITHOUT ROWID;
    ALTER TABLE key ADD COLUMN used INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE key ADD COLUMN reserve INTEGER NOT NULL DEFAULT 0
    """,
)
"""The n-th script makes version n; a published one never changes."""


def migrate(database: sqlite3.Connection, path: Path) -> None:
    """Bring a store to this version; StoreVersionError where a newer dock wrote it."""
    database.execute("BEGIN IMMEDIATE")  # another process may be about to do the same
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > len(_MIGRATIONS):
        raise StoreVersionError(f"{path}: a newer dock wrote it; upgrade relaykit-signaldock, or use another home")
    for script in _MIGRATIONS[version:]:
        for statement in script.split(";"):
            database.execute(statement)
    database.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
    database.execute("COMMIT")
