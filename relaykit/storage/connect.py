"""Opening a store: one way for every process, so that the file is always what the code thinks it is."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from relaykit.errors import StoreError, StoreVersionError
from relaykit.storage.faults import corrupt, translate
from relaykit.storage.network import refuse_network

BUSY_SECONDS = 5.0
"""How long another process may hold the file before an operation gives up."""
MEMORY = ":memory:"
_OLDEST_SQLITE = (3, 35)  # RETURNING
_PAUSE_SECONDS = 0.005
WAL_PAGES = 4000
"""Pages of a log that its writer moves into the file itself, at the end of a transaction."""
_CHECKED_BYTES = 8 * 2**20  # quick_check reads the whole file: about 10 ms for so much


class Schema(Struct, frozen=True):
    """What is in a file."""

    name: str
    """What people call it: ``mailbox``."""
    migrations: tuple[str, ...]
    """SQL scripts: the n-th makes version n of version n - 1. A published one is never changed."""


def connect(path: Path | str, schema: Schema, *, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open a file, making or migrating it as needed, ready for explicit transactions; readable by its owner alone.

    Raises:
        StoreVersionError: A newer relaykit wrote it. It is left alone.
        StoreBusyError: Another process held it for too long.
        StoreError: It is damaged, lies on a network file system or cannot be written; it is left as it is.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old; relaykit needs 3.35 or later")
    if path != MEMORY:
        _make_room(Path(path))
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(
            path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        _prepare_in_time(connection, str(path), schema, busy_seconds)
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise translate(error, str(path)) from error
        raise
    return connection


def _make_room(path: Path) -> None:
    refuse_network(path.parent)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its -wal and -shm files the mode of this one. One that is there is not touched: to close it
        # would free the locks that another connection of this process has on it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(f"{path}: it cannot be opened for writing ({error.strerror}); check its owner") from error


def _prepare_in_time(connection: sqlite3.Connection, path: str, schema: Schema, seconds: float) -> None:
    """Try again while it is busy: of several that give a new file its log, SQLite lets all but one fail at once."""
    end = time.monotonic() + seconds
    while True:
        try:
            return _prepare(connection, path, schema)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(_PAUSE_SECONDS)


def _prepare(connection: sqlite3.Connection, path: str, schema: Schema) -> None:
    version = _version(connection, path, schema)
    if version == 0:
        _begin_file(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA journal_mode = WAL")
    # The last resort: while a relay runs, its checkpointer has moved nearly everything by then.
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_PAGES * 4096}")
    if version < len(schema.migrations):
        _migrate(connection, path, schema)


def _version(connection: sqlite3.Connection, path: str, schema: Schema) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(schema.migrations):
        raise StoreVersionError(
            f"{path}: this {schema.name} has version {version}, written by a newer relaykit; this one knows "
            f"{len(schema.migrations)}: upgrade relaykit, or use another home"
        )
    return version


def _begin_file(connection: sqlite3.Connection) -> None:
    """Write the first page. It is on the disk once the file has its log: nothing before that is worth a sync."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":  # another process may have been quicker
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # once there is a log, it is ignored without a word


def _migrate(connection: sqlite3.Connection, path: str, schema: Schema) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been quicker.
        for script in schema.migrations[_version(connection, path, schema) :]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(schema.migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """Take a script apart: ``executescript`` would commit before it begins."""
    statement = ""
    for piece in script.split(";")[:-1]:
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def check(path: Path) -> None:
    """Raise StoreError where a file of moderate size is damaged. It is only read; a larger one is trusted."""
    if not path.exists() or path.stat().st_size > _CHECKED_BYTES:
        return
    try:
        # Closing a connection that may write would move what waits in the -wal file into the damaged one.
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise translate(error, str(path)) from error
    if verdict != "ok":
        raise corrupt(str(path), verdict)
