"""Moving what was committed from the -wal file to the database, where no commit has to wait for it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from relaykit.storage.database import Database

_EVERY = 2000
"""Written rows between two checkpoints: about 8 MiB of log when messages are small."""
_DISTURBED = 3
"""Transactions after a checkpoint that may wait for the disk: the first may move what was left over, and the next begin
the log anew, which syncs it."""
_MOST_BYTES = 32 * 2**20


class Checkpointer:
    """A thread that checkpoints in the background.

    A log is begun anew only when all of it was moved and the next write comes. Under load the writer is always
    ahead of this thread, so what is left then the writer moves itself, at SQLite's own limit: little, for this
    thread moved the rest. Where the writer outruns even that, it waits here until the thread is done.

    Args:
        database: The writer's own; it is used by the writer's thread alone, in ``note``.
    """

    def __init__(self, database: Database[Any]) -> None:
        self._database = database
        self._log = Path(f"{database.path}-wal")
        self._noted = 0
        self._done = False
        self._disturbed = 0
        self._due = threading.Event()
        self._at_work = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=f"checkpoints of {database.path}", daemon=True)
        self._thread.start()

    @property
    def rests(self) -> bool:
        """Whether none is due or under way or has just been done: what is written then may wait for the disk."""
        return not self._disturbed and self._database.changes - self._noted < _EVERY

    def note(self) -> None:
        """Look at what was written so far, before the next transaction."""
        if self._done and self._disturbed:
            self._disturbed -= 1
        if self._database.changes - self._noted < _EVERY:
            return
        self._noted = self._database.changes
        # SQLite cuts the log to its limit when it begins it anew: one that is longer was not begun anew for long.
        if self._log.stat().st_size > _MOST_BYTES:
            with self._at_work:
                _checkpoint(self._database.connection)
        self._done, self._disturbed = False, _DISTURBED
        self._due.set()

    def close(self) -> None:
        """End the thread."""
        self._closing = True
        self._due.set()
        self._thread.join()

    def _work(self) -> None:
        with closing(sqlite3.connect(self._database.path, isolation_level=None)) as connection:
            while self._due.wait() and not self._closing:
                self._due.clear()
                with self._at_work:
                    _checkpoint(connection)
                self._done = True


def _checkpoint(connection: sqlite3.Connection) -> None:
    # A full disk, or another process that does it right now: the next one does it.
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
