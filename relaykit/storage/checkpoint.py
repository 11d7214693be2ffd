"""Moving what was committed from the -wal file to the database, where no commit has to wait for it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, suppress

_EVERY = 1000
"""Written rows between two checkpoints: about 4 MiB of log when messages are small."""


class Checkpointer:
    """A thread that checkpoints in the background.

    A log is begun anew only when all of it was moved and the next write comes. Under load the writer is always
    ahead of this thread, so what is left then the writer moves itself, at SQLite's own limit: little, for this
    thread moved the rest.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._noted = 0
        self._due = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=f"checkpoints of {path}", daemon=True)
        self._thread.start()

    def note(self, changes: int) -> None:
        """Say how many rows were written so far."""
        if changes - self._noted >= _EVERY:
            self._noted = changes
            self._due.set()

    def close(self) -> None:
        """End the thread."""
        self._closing = True
        self._due.set()
        self._thread.join()

    def _work(self) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            while self._due.wait() and not self._closing:
                self._due.clear()
                # A full disk or another checkpoint: the next one, or the writer's own, does it.
                with suppress(sqlite3.Error):
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
