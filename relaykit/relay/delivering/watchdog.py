"""Finds turns that went silent, and asks the provider what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from relaykit.errors import ProviderError
from relaykit.model import Origin, Outcome, PastTurn, TurnEnded, TurnStarted
from relaykit.plugin import ReadsHistory

if TYPE_CHECKING:
    from relaykit.relay.delivering.worker import Worker

LOOK_SECONDS = 30.0
"""A provider that does not answer a look into its history within this is given up."""


class Watchdog:
    """Watches one worker. It rests while nothing runs, and while a question waits for an answer."""

    def __init__(self, worker: Worker, silence: float) -> None:
        self._worker = worker
        self._silence = silence

    async def run(self) -> None:
        """Watch for ever."""
        state = self._worker.state
        while True:
            quiet = state.clock.boot() - state.heard
            await state.clock.sleep(max(self._silence - quiet, self._silence / 10))
            if state.busy and not state.turns.asks and state.clock.boot() - state.heard >= self._silence:
                await self._look()

    async def _look(self) -> None:
        state = self._worker.state
        session = state.session
        if not state.capabilities.history or not isinstance(session, ReadsHistory):
            self._say_silent()
            return
        try:
            with anyio.fail_after(LOOK_SECONDS):
                turns = await session.history(session.id)
        except (ProviderError, TimeoutError):
            self._worker.lose(f"the provider was silent for {self._silence:.0f} s and does not answer")
            return
        self._reconcile(list(turns or ()))

    def _reconcile(self, turns: list[PastTurn]) -> None:
        state = self._worker.state
        held = {item.delivery.submission for item in state.held.all()}
        known = [turn for turn in turns if self._is_ours(turn, held)]
        ended = [(turn, turn.outcome) for turn in known if turn.outcome is not None]
        for turn, outcome in ended:
            self._settle(turn, outcome)
        if ended:
            return
        if not known and state.turns.running is None:
            self._worker.lose("the provider took a text and knows nothing of it")
        else:
            self._say_silent()

    def _is_ours(self, turn: PastTurn, held: set[str | None]) -> bool:
        running = self._worker.state.turns.running
        return bool(held.intersection(turn.submissions)) or (running is not None and running.id == turn.id)

    def _settle(self, turn: PastTurn, outcome: Outcome) -> None:
        state = self._worker.state
        if state.turns.running is None:
            self._worker.hear(TurnStarted(turn=turn.id, origin=Origin.SUBMISSION, submissions=turn.submissions))
        self._worker.hear(
            TurnEnded(
                turn=turn.id,
                outcome=outcome,
                submissions=turn.submissions,
                text=turn.text,
                fault=turn.fault,
                by="watchdog",
            )
        )

    def _say_silent(self) -> None:
        state = self._worker.state
        state.heard = state.clock.boot()
        state.silent = state.busy
        state.nudge.ring()
