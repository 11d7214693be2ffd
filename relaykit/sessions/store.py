"""The session store of one machine: a SQLite file that relays and command lines share.

What happens when things go wrong is the mailbox's way: locked for too long, StoreBusyError; no room, StoreFullError;
damaged, or written by a newer relaykit, an error on opening, and the file is left as it is. Nothing is half stored.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING, Any

from relaykit.model import Event, SessionRecord
from relaykit.sessions import operations, sweeping
from relaykit.sessions.rows import encode
from relaykit.sessions.schema import FILE, open_database
from relaykit.storage.connect import BUSY_SECONDS, check
from relaykit.storage.database import Database
from relaykit.storage.doorbell import Bell
from relaykit.storage.executor import BRIEF, Executor
from relaykit.storage.writer import open_writer

if TYPE_CHECKING:
    from relaykit.plugin import Context


class SqliteSessionStore:
    """A session store whose operations an executor runs."""

    def __init__(self, executor: Executor[Connection]) -> None:
        self._run = executor.run
        self._run_brief = executor.run_brief

    async def begin(self, record: SessionRecord) -> SessionRecord:
        """Store a session, or find it."""
        return await self._run_brief(operations.begin, record)

    async def end(self, session: str, at: float) -> None:
        """Note that a session was closed."""
        await self._run(operations.end, session, at)

    async def sessions(self, agent: str | None = None) -> Sequence[SessionRecord]:
        """Return the sessions, the latest first."""
        return await self._run(operations.sessions, agent)

    async def append(self, events: Sequence[Event], partials: Sequence[operations.Partial] = ()) -> Sequence[int]:
        """Store events and texts so far; return the events' cursors."""
        encoded = [encode(event) for event in events]
        size = sum(len(event.data) for event in encoded) + sum(len(text) for _, _, text in partials)
        run = self._run_brief if size <= BRIEF else self._run
        return await run(operations.append, encoded, partials)

    async def events(
        self, *, agent: str | None = None, session: str | None = None, after: int = 0, limit: int = 1000
    ) -> Sequence[Event]:
        """Return events after a cursor, oldest first."""
        return await self._run(operations.events, agent=agent, session=session, after=after, limit=limit)

    async def partials(self, session: str) -> dict[str, str]:
        """Return the text so far of the session's unfinished blocks."""
        return await self._run(operations.partials, session)

    async def last_cursor(self) -> int:
        """Return the cursor of the last event."""
        return await self._run(operations.last_cursor)

    async def sweep(self, *, before: float, max_bytes: int, limit: int = 500) -> int:
        """Remove what is too old or too much, and give its space back."""
        return await self._run(sweeping.sweep, before=before, max_bytes=max_bytes, limit=limit)


@asynccontextmanager
async def open_sessions(_: Mapping[str, Any], context: Context) -> AsyncIterator[SqliteSessionStore]:
    """Open the store in the context's home. StoreError where it cannot be used."""
    async with open_sessions_file(context.home / FILE) as store:
        yield store


@asynccontextmanager
async def open_sessions_file(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> AsyncIterator[SqliteSessionStore]:
    """Open the store in a file; leaving finishes what was accepted.

    Args:
        path: The file; made where there is none.
        busy_seconds: How long another process may hold the file.

    Raises:
        StoreError: It cannot be opened, and why.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(Bell(path)) as bell:
        async with open_writer("session store", partial(_open, path, busy_seconds), lambda *_: bell.ring()) as writer:
            yield SqliteSessionStore(writer)


def _open(path: Path, busy_seconds: float) -> Database[Connection]:
    check(path)
    return open_database(path, busy_seconds=busy_seconds)
