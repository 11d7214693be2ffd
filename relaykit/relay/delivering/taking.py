"""When a worker takes something out of its agent's queue: for a turn of its own, to join one, or to end one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.model import Wish

if TYPE_CHECKING:
    from relaykit.plugin import Waiting
    from relaykit.relay.delivering.handover import HandOver
    from relaykit.relay.delivering.interruption import Interruption
    from relaykit.relay.delivering.state import WorkerState


class Taking:
    """One worker's way with its queue."""

    def __init__(self, state: WorkerState, hand_over: HandOver, interruption: Interruption) -> None:
        self._state = state
        self._hand_over = hand_over
        self._interruption = interruption
        self._hinted = False
        """Something came that what was heard last does not tell of."""
        self.known_empty = False
        """Whether a settlement of this very step found the queue empty. An idle agent looks into any other."""

    def hint(self) -> None:
        """Look into the queue: something came, and it is not known what."""
        self._hinted = True
        self._state.nudge.ring()

    async def take(self, waiting: Waiting) -> None:
        """Take what can be taken now; ``waiting`` is what was heard last."""
        state = self._state
        if not state.busy:
            hinted, self._hinted = self._hinted, False
            if not self.known_empty or hinted or self._hand_over.resumes:
                await self._hand_over.next()
            return
        if self._hinted:
            self._hinted = False
            waiting = await self._look()
        turn = state.turns.running
        if turn is None:
            return
        if waiting.now:
            await self._make_way()
        elif waiting.next and not state.turns.asks and not self._interruption.asked:
            await self._hand_over.join(turn)

    async def _make_way(self) -> None:
        # The ring may be older than the lease of the very message that rang.
        if (await self._look()).now:
            await self._interruption.ask(Wish.NOW)

    async def _look(self) -> Waiting:
        bell = self._state.nudge
        before = bell.waiting
        found = await self._state.claimed.waiting()
        if bell.waiting is before:
            bell.waiting = found
        else:
            self.hint()  # which of the two is newer is not known
        return found
