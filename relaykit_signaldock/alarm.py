"""Waiting for some time, or until someone rings."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from relaykit.plugin import Clock


class Alarm:
    """A sleep that can be ended early. One that was rung before it began ends at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = anyio.Event()

    def ring(self) -> None:
        """End the sleep, this one or the next."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Sleep so long, or until it rings."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._ring_after, seconds, name="alarm")
            await self._rung.wait()
            tasks.cancel_scope.cancel()
        self._rung = anyio.Event()

    async def _ring_after(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._rung.set()


def back_off(first: float = 1.0, longest: float = 30.0) -> Iterator[float]:
    """Yield growing delays for ever, each somewhere in its upper half, so that many do not come back at once."""
    delay = first
    while True:
        yield delay * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        delay = min(delay * 2, longest)
