"""The synchronous door: one operation after another, without an event loop, for command lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import Concatenate, ParamSpec, TypeVar

from relaykit.sessions.schema import FILE, open_database
from relaykit.storage.connect import BUSY_SECONDS
from relaykit.storage.database import Database
from relaykit.storage.doorbell import Listener

P = ParamSpec("P")
R = TypeVar("R")


class Door:
    """Reads the session store of a home directory."""

    def __init__(self, database: Database[Connection]) -> None:
        self._database = database

    def run(self, operation: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an operation of this package in a transaction: ``door.run(operations.sessions, None)``.

        It is for reading: nobody is woken by what it writes.

        Raises:
            StoreError: The store cannot be used now.
        """
        return self._database.run(operation, *args, **kwargs)

    @contextmanager
    def listen(self) -> Iterator[Listener]:
        """Watch for changes from now on: ``wait_for(seconds)`` of what this yields says whether there was one."""
        with closing(Listener(Path(self._database.path))) as listener:
            yield listener


@contextmanager
def open_door(home: Path, *, busy_seconds: float = BUSY_SECONDS) -> Iterator[Door]:
    """Open the session store of a home directory, which is made where there is none. StoreError."""
    with closing(open_database(home / FILE, busy_seconds=busy_seconds)) as database:
        yield Door(database)
