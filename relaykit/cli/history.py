"""The session store for a command: read as it is in the file, without an event loop."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from relaykit.cli.home import home
from relaykit.sessions.schema import FILE, SCHEMA
from relaykit.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from sqlite3 import Connection


@contextmanager
def session_store() -> Iterator[Database[Connection]]:
    """Open the session store of the home."""
    with closing(Database(home() / FILE, SCHEMA, _itself)) as store:
        yield store


def _itself(connection: Connection) -> Connection:
    return connection
