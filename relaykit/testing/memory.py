"""A mailbox in memory, without threads, for tests that make their own time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import anyio

from relaykit.mailbox.front import OperationsMailbox
from relaykit.mailbox.schema import MAILBOX
from relaykit.mailbox.transaction import Transaction, transactions
from relaykit.model import Limits
from relaykit.storage.audience import Audience
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
        self._changed = anyio.Event()
        self._named: Collection[str] | None = None

    def ring(self, named: Collection[str] | None) -> None:
        # Rings that nobody waited for are one, which concerns everyone.
        self._named = None if self._changed.is_set() else named
        self._changed.set()

    async def wait(self) -> Collection[str] | None:
        await self._changed.wait()
        self._changed = anyio.Event()
        return self._named


class _Watches:
    def __init__(self) -> None:
        self._open: set[_Watch] = set()

    def ring(self, tx: Transaction, audience: Audience) -> None:
        for watch in self._open:
            watch.ring(None if audience is Audience.ALL else tx.named)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Watch]:
        watch = _Watch()
        self._open.add(watch)
        try:
            yield watch
        finally:
            self._open.discard(watch)
