"""A mailbox in memory, without threads, for tests that make their own time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import anyio

from relaykit.mailbox.front import OperationsMailbox
from relaykit.mailbox.schema import MAILBOX
from relaykit.mailbox.transaction import transactions
from relaykit.model import Limits
from relaykit.storage.connect import MEMORY
from relaykit.storage.database import Database
from relaykit.storage.inline import Inline

if TYPE_CHECKING:
    from relaykit.plugin import Clock, Mailbox, Router, Watch


@asynccontextmanager
async def open_memory_mailbox(
    clock: Clock, *, routers: Sequence[Router], limits: Limits | None = None
) -> AsyncIterator[Mailbox]:
    """Open a mailbox that is gone when this is left. It keeps the promises of the one in a file, but that one."""
    watches = _Watches()
    with closing(Database(MEMORY, MAILBOX, transactions(clock.now, routers, limits or Limits()))) as database:
        yield OperationsMailbox(Inline(database, watches.ring), watches.open)


class _Watch:
    def __init__(self) -> None:
        self.changed = anyio.Event()

    async def wait(self) -> None:
        await self.changed.wait()
        self.changed = anyio.Event()


class _Watches:
    def __init__(self) -> None:
        self._open: set[_Watch] = set()

    def ring(self) -> None:
        for watch in self._open:
            watch.changed.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Watch]:
        watch = _Watch()
        self._open.add(watch)
        try:
            yield watch
        finally:
            self._open.discard(watch)
