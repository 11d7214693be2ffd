"""The synchronous door: one operation after another, without an event loop, for command lines.

Importing it must stay cheap: ``relaykit send`` pays for it each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from relaykit.mailbox.ringing import ring
from relaykit.mailbox.schema import FILE, MAILBOX
from relaykit.mailbox.transaction import Transaction, transactions
from relaykit.model import Limits
from relaykit.storage.audience import audience_of
from relaykit.storage.connect import BUSY_SECONDS, MEMORY
from relaykit.storage.database import Database
from relaykit.storage.doorbell import Bell, Listener

if TYPE_CHECKING:
    from relaykit.plugin.router import Router

DoorWatch = Listener
"""What ``Door.listen`` yields: ``wait_for(seconds)`` says whether something changed."""
P = ParamSpec("P")
R = TypeVar("R")


class Door:
    """Runs operations on the mailbox of a home directory."""

    def __init__(self, database: Database[Transaction], bell: Bell | None) -> None:
        self._database = database
        self._bell = bell

    def run(self, operation: Callable[Concatenate[Transaction, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an operation of this package in a transaction: ``door.run(letters.put, draft)``.

        Raises:
            RelaykitError: What the operation refuses.
            StoreError: The store cannot be used now; nothing was written.
        """
        before = self._database.changes
        audience = audience_of(operation)
        with self._database.transaction(audience) as transaction:
            result = operation(transaction, *args, **kwargs)
        if self._bell is not None and self._database.changes != before:
            ring(self._bell, transaction, audience)
        return result

    @contextmanager
    def listen(self) -> Iterator[DoorWatch]:
        """Watch for changes from now on."""
        with closing(Listener(Path(self._database.path))) as listener:
            yield listener


@contextmanager
def open_door(
    home: Path,
    *,
    routers: Sequence[Router] = (),
    limits: Limits | None = None,
    now: Callable[[], float] = time.time,
    busy_seconds: float = BUSY_SECONDS,
) -> Iterator[Door]:
    """Open the mailbox of a home directory.

    Args:
        home: The directory; made where there is none.
        routers: Who is asked whom an address means. Without any, every put is refused.
        limits: Over these a put is refused.
        now: The wall clock.
        busy_seconds: How long another process may hold the file.

    Raises:
        StoreError: It cannot be opened, and why.
    """
    path = home / FILE
    begin = transactions(now, routers, limits or Limits())
    with closing(Database(path, MAILBOX, begin, busy_seconds=busy_seconds)) as database, closing(Bell(path)) as bell:
        yield Door(database, bell)


@contextmanager
def empty_door() -> Iterator[Door]:
    """Yield the door of a mailbox that holds nothing and lies nowhere: for whoever looks where none was made yet."""
    begin = transactions(time.time, (), Limits())
    with closing(Database(MEMORY, MAILBOX, begin)) as database:
        yield Door(database, None)
