"""The session store for a command: read as it is in the file, without an event loop."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from relaykit.cli.home import home
from relaykit.sessions.schema import FILE, open_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from sqlite3 import Connection

    from relaykit.storage.database import Database


@contextmanager
def session_store() -> Iterator[Database[Connection]]:
    """Open the session store of the home."""
    with closing(open_database(home() / FILE)) as store:
        yield store
