"""Running operations in the event loop itself: for stores in memory, where there is nothing to wait for."""

from __future__ import annotations

from collections.abc import Callable
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
        with self._database.transaction() as transaction:
            result = operation(transaction, *args, **kwargs)
        if self._database.changes != before:
            self._committed(transaction, audience_of(operation))
        await anyio.lowlevel.cancel_shielded_checkpoint()
        return result

    run_synced = run
