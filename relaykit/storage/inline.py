"""Running operations in the event loop itself: for stores in memory, where there is nothing to wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, Generic, ParamSpec, TypeVar

import anyio.lowlevel

from relaykit.storage.audience import Audience, audience_of
from relaykit.storage.database import Database

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")


class Inline(Generic[T]):
    """An executor without a thread, so that tests may make their own time.

    Args:
        database: The store, which stays its owner's to close.
        committed: Called after each transaction that changed something, with who has to look.
    """

    def __init__(self, database: Database[T], committed: Callable[[T, Audience], None]) -> None:
        self._database = database
        self._committed = committed

    async def run(self, operation: Callable[Concatenate[T, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an operation in a transaction of its own."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        before = self._database.changes
        audience = audience_of(operation)
        with self._held_to(audience), self._database.transaction(audience) as transaction:
            result = operation(transaction, *args, **kwargs)
        if self._database.changes != before:
            self._committed(transaction, audience)
        await anyio.lowlevel.cancel_shielded_checkpoint()
        return result

    @contextmanager
    def _held_to(self, audience: Audience) -> Iterator[None]:
        """Have an operation fail that says that it only reads, and writes."""
        self._database.connection.execute(f"PRAGMA query_only = {not audience}")
        try:
            yield
        finally:
            self._database.connection.execute("PRAGMA query_only = OFF")

    run_brief = run_synced = run
