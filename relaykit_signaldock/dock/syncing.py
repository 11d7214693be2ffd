"""Syncing the dock's own store to the disk: once for all who wait for it at that moment, and not in the event loop."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from relaykit.errors import StoreError


class _Turn:
    """One sync, and who waits for it."""

    def __init__(self) -> None:
        self._done = anyio.Event()
        self._error: OSError | None = None

    def end(self, error: OSError | None = None) -> None:
        self._error = error
        self._done.set()

    async def wait(self) -> None:
        """Return once what was written before is safe from loss of power.

        Raises:
            StoreError: It cannot be made safe.
        """
        await self._done.wait()
        if self._error is not None:
            raise StoreError(f"the dock's own store cannot be synced: {self._error.strerror}") from self._error


class Syncer:
    """Syncs for ever, whenever someone asks."""

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._next = _Turn()
        self._asked = anyio.Event()

    def ask(self) -> _Turn:
        """Return the next turn, which has all that was written until now; wait for it before anything is promised."""
        self._asked.set()
        return self._next

    async def run(self) -> None:
        """Sync whenever that was asked for."""
        while True:
            await self._asked.wait()
            turn, self._next, self._asked = self._next, _Turn(), anyio.Event()
            try:
                await anyio.to_thread.run_sync(self._sync)
            except OSError as error:
                turn.end(error)
            else:
                turn.end()
