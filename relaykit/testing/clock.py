"""Time that a test makes."""

from __future__ import annotations

import heapq
from itertools import count

import anyio
import anyio.lowlevel
import sniffio

_ROUNDS = 100
"""Turns of asyncio's loop that are enough for what was woken to come to rest."""


async def settle() -> None:
    """Return when every other task waits for something. Threads and processes are not waited for."""
    if sniffio.current_async_library() == "trio":
        await anyio.wait_all_tasks_blocked()
        return
    for _ in range(_ROUNDS):  # anyio's own way looks ten times a second, which is too slow for a test
        await anyio.lowlevel.checkpoint()


class VirtualClock:
    """Stands still until ``advance`` is called; wakes sleepers in order, giving each a chance to run."""

    def __init__(self, now: float = 1_750_000_000.0) -> None:
        self._start = now
        self._elapsed = 0.0
        self._boot = "boot-1"
        self._sleepers: list[tuple[float, int, anyio.Event]] = []
        self._order = count()

    def now(self) -> float:
        """Return the wall clock, which ``jump`` may have set off."""
        return self._start + self._elapsed

    def boot(self) -> float:
        """Return what was advanced so far."""
        return self._elapsed

    def boot_id(self) -> str:
        """Return an id that ``reboot`` changes."""
        return self._boot

    async def sleep(self, seconds: float) -> None:
        """Return once the clock was advanced so far."""
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        woken = anyio.Event()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), woken))
        await woken.wait()

    async def advance(self, seconds: float) -> None:
        """Let time pass in one leap, as it does for a machine that slept; sleepers wake in the order of their turn."""
        await settle()
        self._elapsed += seconds
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            heapq.heappop(self._sleepers)[2].set()
            await settle()

    def jump(self, seconds: float) -> None:
        """Set the wall clock off, as an administrator or a time server does; the boot clock goes on."""
        self._start += seconds

    def reboot(self) -> None:
        """Begin another boot."""
        self._boot = f"boot-{next(self._order) + 2}"
