"""What a worker has learnt and need not wait for: written a moment later, several things in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio

from relaykit.model import Lease, Noted, Status
from relaykit.plugin import Clock
from relaykit.relay.delivering.claimed import ClaimedMailbox, How
from relaykit.relay.faultpoints import reached
from relaykit.wakeups import AutoResetEvent

_GATHER_SECONDS = 0.1
"""How long notes wait for others: most come within the first moments of a turn."""


class Notebook:
    """Steps of held deliveries, and how the agent is.

    Nothing depends on a note but what people are shown, and the order of a delivery's steps: whoever hands a
    delivery over anew writes the steps first, and whoever ends it writes them with its end. What a crash takes of it is
    read from the provider's history.
    """

    def __init__(self, claimed: ClaimedMailbox, clock: Clock) -> None:
        self._claimed = claimed
        self._clock = clock
        self._steps: list[Noted] = []
        self._how: How | None = None
        self._noted = AutoResetEvent()
        self._taken = AutoResetEvent()
        self._writing = anyio.Lock(fast_acquire=True)

    def step(self, lease: Lease, turn: str | None = None) -> None:
        """The provider took the text, or a turn began with it."""
        self._steps.append(Noted(lease=lease, at=self._clock.now(), turn=turn))
        self._noted.set()

    def status(self, status: Status, *, pid: int | None, session: str | None) -> None:
        """How the agent is now: the last word counts."""
        self._how = (status, pid, session)
        self._noted.set()

    async def run(self) -> None:
        """Write what is noted, for ever."""
        while True:
            await self._noted.wait()
            self._taken.clear()
            with anyio.move_on_after(_GATHER_SECONDS):
                await self._taken.wait()
                continue  # a turn that was shorter has ended with it
            await self.write()

    async def write_steps(self) -> None:
        """Return once every step that was noted is recorded."""
        if self._steps or self._writing.statistics().locked:
            await self.write()

    async def write(self) -> None:
        """Record all that was noted."""
        async with self.handed_on() as (steps, how):
            if steps or how is not None:
                await self._claimed.note(steps, how)

    @asynccontextmanager
    async def handed_on(self) -> AsyncIterator[tuple[Sequence[Noted], How | None]]:
        """Yield what is not recorded, to be recorded by the block, which may do more in one transaction."""
        async with self._writing:
            steps, how = self._take()
            try:
                yield steps, how
            except BaseException:
                # Whether it is recorded is not known; to record it twice does no harm.
                self._steps = steps + self._steps
                self._how = self._how or how
                self._noted.set()
                raise
        for step in steps:
            reached("delivered" if step.turn is None else "seen")

    def _take(self) -> tuple[list[Noted], How | None]:
        taken = self._steps, self._how
        self._steps, self._how = [], None
        self._noted.clear()  # what is noted from now on has its own time to wait for more
        self._taken.set()
        return taken
