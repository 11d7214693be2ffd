"""Ends the running turn on somebody's wish, which is recorded before the provider is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from relaykit.model import LeasedDelivery, Wish
from relaykit.relay.delivering.wishes import learn_wishes
from relaykit.relay.faultpoints import reached

if TYPE_CHECKING:
    from relaykit.relay.delivering.state import WorkerState
    from relaykit.relay.delivering.wishes import Recover

INTERRUPT_SECONDS = 20.0


class Interruption:
    """What ends a worker's running turn before its time; by itself it asks the provider once for each turn."""

    def __init__(self, state: WorkerState, recover: Recover) -> None:
        self._state = state
        self._recover = recover
        self._asked: str | None = None
        self._told: str | None = None
        """The turn whose provider took that."""

    @property
    def asked(self) -> bool:
        """Whether the turn that runs was asked to end."""
        turn = self._state.turns.running
        return turn is not None and turn.id == self._asked

    async def ask(self, wish: Wish, *, again: bool = False) -> bool:
        """Ask the running turn to end; return whether there is one and its provider was told in time.

        Args:
            wish: Recorded on its deliveries first.
            again: Where the provider could not be told, or took too long, tell it once more.

        Raises:
            ProviderError: It could not be told.
        """
        turn = self._state.turns.running
        if turn is None:
            return False
        await self.record(wish)
        reached("wished")
        if self._told != turn.id and (again or self._asked != turn.id):
            self._asked = turn.id
            with anyio.move_on_after(INTERRUPT_SECONDS):
                await self._state.session.interrupt()
                self._told = turn.id
        return self._told == turn.id

    async def record(self, wish: Wish) -> None:
        """Record the wish alone: the provider will end the turn by itself, or is asked next."""
        state = self._state
        for item in self._of_turn():
            await state.claimed.wish(item.lease, wish)
            state.held.note_wish(item, wish)

    async def learn(self) -> None:
        """Take in the wishes of others; a turn all of whose deliveries are to be cancelled is asked to end."""
        await learn_wishes(self._state, self._recover)
        items = self._of_turn()
        if items and all(item.delivery.wish is Wish.CANCEL for item in items):
            await self.ask(Wish.CANCEL)

    async def repeat(self, submission: str) -> None:
        """Ask again for what was wished of a turn that runs on: a relay died when it had just recorded that."""
        for item in self._state.held.of([submission]):
            if item.delivery.wish in (Wish.NOW, Wish.INTERRUPT):
                await self.ask(item.delivery.wish)

    def _of_turn(self) -> list[LeasedDelivery]:
        turn = self._state.turns.running
        return self._state.held.of(turn.submissions) if turn else []
