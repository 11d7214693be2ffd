"""A session store in memory: the same operations without a file and without a thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from relaykit.sessions.schema import open_database
from relaykit.sessions.store import SqliteSessionStore
from relaykit.storage.connect import MEMORY
from relaykit.storage.inline import Inline


@contextmanager
def memory_sessions() -> Iterator[SqliteSessionStore]:
    """Yield an empty session store that is gone afterwards."""
    with closing(open_database(MEMORY)) as database:
        yield SqliteSessionStore(Inline(database, lambda *_: None))
