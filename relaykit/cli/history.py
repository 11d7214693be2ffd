"""The session store for a command: read as it is in the file, without an event loop."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from relaykit.cli.home import home, is_missing
from relaykit.sessions.schema import FILE, open_database
from relaykit.storage.connect import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from sqlite3 import Connection

    from relaykit.storage.database import Database


@contextmanager
def session_store(*, make: bool = False) -> Iterator[Database[Connection]]:
    """Open the session store of the home; where there is none and it is not to be made, one that is empty."""
    file = home() / FILE
    with closing(open_database(file if make or not is_missing(file) else MEMORY)) as store:
        yield store
