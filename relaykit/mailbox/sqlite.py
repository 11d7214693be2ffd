"""The mailbox of one machine: a SQLite file that relays and command lines share.

What happens when things go wrong, each of it tested:

* locked by another process: reading goes on; what writes waits five seconds, then StoreBusyError, and nothing of it
  was written;
* the disk is full: StoreFullError for the operations that needed the room, the others go; nothing is half written;
* damaged, or no database: StoreError on opening, with the remedy; the file is left as it is;
* written by a newer relaykit: StoreVersionError on opening; by an older one: migrated in one transaction;
* on a network file system: refused on opening, for locks cannot be trusted there;
* the wall clock jumps: expiry comes early or late, nothing else: order goes by arrival numbers, and heartbeats by the
  boot clock;
* a process is killed: what was returned is there, what was not returned is there whole or not at all.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from relaykit.mailbox.front import OperationsMailbox
from relaykit.mailbox.ringing import ring
from relaykit.mailbox.schema import MAILBOX
from relaykit.mailbox.transaction import Transaction, transactions
from relaykit.model import Limits
from relaykit.storage.connect import BUSY_SECONDS, check
from relaykit.storage.database import Database
from relaykit.storage.doorbell import Bell, Listener
from relaykit.storage.network import refuse_network
from relaykit.storage.writer import open_writer

if TYPE_CHECKING:
    from relaykit.plugin.mailbox import Watch
    from relaykit.plugin.router import Router


class SqliteMailbox(OperationsMailbox):
    """The mailbox in a file."""


@asynccontextmanager
async def open_mailbox(
    path: Path,
    *,
    routers: Sequence[Router],
    limits: Limits | None = None,
    now: Callable[[], float] = time.time,
    synced: bool = False,
    busy_seconds: float = BUSY_SECONDS,
) -> AsyncIterator[SqliteMailbox]:
    """Open a mailbox; leaving finishes what was accepted.

    Args:
        path: The file; made where there is none.
        routers: Who is asked whom an address means, in this order.
        limits: Over these a put is refused.
        now: The wall clock.
        synced: Sync every message, not only those that came from or go to another machine.
        busy_seconds: How long another process may hold the file.

    Raises:
        StoreError: It cannot be opened, and why.
    """
    begin = transactions(now, routers, limits or Limits())

    def open_database() -> Database[Transaction]:
        check(path)
        return Database(path, MAILBOX, begin, busy_seconds=busy_seconds)

    refuse_network(path.parent)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(Bell(path)) as bell:
        async with open_writer(f"mailbox {path}", open_database, partial(ring, bell)) as writer:
            yield SqliteMailbox(writer, lambda: _watch(path), synced=synced)


@asynccontextmanager
async def _watch(path: Path) -> AsyncIterator[Watch]:
    with closing(Listener(path)) as listener:
        yield listener
