"""One task per relay that hears when the mailbox changed, and wakes the agents for whom something waits."""

from __future__ import annotations

from collections.abc import Callable, Collection

import anyio
from msgspec import Struct, field

from relaykit.errors import StoreError
from relaykit.plugin import Clock, Mailbox, Waiting
from relaykit.wakeups import AutoResetEvent

_RETRY_SECONDS = 1.0
_GATHER_SECONDS = 0.03
"""How long changes wait for others while all agents are busy: most are the steps of their own deliveries."""


class Bell(Struct):
    """Rings when something waits for an agent; a ring that nobody waited for is kept."""

    waiting: Waiting = field(default_factory=Waiting)
    hint: Callable[[], None] = lambda: None
    """Told that something was queued, and nothing more."""
    patient: Callable[[], bool] = bool
    """Whether what comes can wait a moment, since nothing could begin now."""
    _rung: AutoResetEvent = field(default_factory=AutoResetEvent)

    def ring(self, waiting: Waiting | None = None) -> None:
        """Say that something waits, or just that it is time to look."""
        if waiting is not None:
            self.waiting = waiting
        self._rung.set()

    async def wait(self) -> Waiting:
        """Return at the next ring, at once where it has rung since this last returned."""
        await self._rung.wait()
        return self.waiting


class Dispatcher:
    """Asks the mailbox once per change, for all agents of the relay together."""

    def __init__(self, mailbox: Mailbox, clock: Clock) -> None:
        self._mailbox = mailbox
        self._clock = clock
        self._bells: dict[str, Bell] = {}
        self._followers: list[Bell] = []
        self._hurry = AutoResetEvent()

    def follow(self, bell: Bell) -> None:
        """Ring that bell, too, after every change: one listener per relay is enough."""
        self._followers.append(bell)

    def enlist(self, agent: str, bell: Bell) -> None:
        """Ring that bell when something waits for the agent."""
        self._bells[agent] = bell

    def dismiss(self, agent: str) -> None:
        """Nobody runs the agent here any more."""
        self._bells.pop(agent, None)

    def hurry(self) -> None:
        """Gather no longer: an agent that was busy is not."""
        self._hurry.set()

    async def run(self) -> None:
        """Dispatch for ever."""
        async with self._mailbox.watch() as watch:
            await self._dispatch()
            while True:
                named = await watch.wait()
                if named is None or not self._hint(named):
                    await self._gather()
                    await self._dispatch()

    def _hint(self, named: Collection[str]) -> bool:
        """Have those look themselves for whom something was queued; return whether that is all there is to do.

        Who is idle needs no answer to another question first. Who is busy has to know what it is that came.
        """
        bells = [bell for name in named if (bell := self._bells.get(name)) is not None]
        idle = [bell for bell in bells if not bell.patient()]
        for bell in idle:
            bell.hint()
        for follower in self._followers:
            follower.ring()
        return len(idle) == len(bells)

    async def _gather(self) -> None:
        self._hurry.clear()
        if all(bell.patient() for bell in self._bells.values()):
            with anyio.move_on_after(_GATHER_SECONDS):
                await self._hurry.wait()

    async def _dispatch(self) -> None:
        for follower in self._followers:
            follower.ring()
        try:
            waiting = await self._mailbox.waiting(tuple(self._bells))  # read in another thread, perhaps
        except StoreError:
            await self._clock.sleep(_RETRY_SECONDS)  # the bells ring again below; workers see the store for themselves
            waiting = {agent: Waiting(later=True, commands=True) for agent in self._bells}
        for agent, what in waiting.items():
            if (bell := self._bells.get(agent)) is not None:
                bell.ring(what)
