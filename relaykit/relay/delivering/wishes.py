"""What people came to wish of what was handed over already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from relaykit.model import State, Wish
from relaykit.plugin import Withdraws
from relaykit.relay.delivering.handover import NOT_GONE_ON_WITH
from relaykit.relay.delivering.verdicts import settle

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from relaykit.model import LeasedDelivery
    from relaykit.relay.delivering.conclusion import Judge
    from relaykit.relay.delivering.state import WorkerState

    Recover = Callable[[Sequence[LeasedDelivery], Judge], Awaitable[None]]

_SECONDS = 10.0
_WITHDRAWN = settle(State.CANCELLED, "it was cancelled, and taken back from the provider before it began with it")
_NOT_GONE_ON_WITH = settle(State.CANCELLED, NOT_GONE_ON_WITH)


async def learn_wishes(state: WorkerState, recover: Recover) -> None:
    """Look again at all that is held; what is cancelled and was not begun with is taken back from the provider."""
    for item in state.held.all():
        state.held.refresh(await state.claimed.leased(item.delivery.id))
    await _let_go(state, recover)
    session, turn = state.session, state.turns.running
    if not state.capabilities.withdraw or not isinstance(session, Withdraws):
        return
    begun = set(turn.submissions) if turn else set()
    for submission in state.held.wished(Wish.CANCEL) - begun:
        taken_back = False
        with anyio.move_on_after(_SECONDS):
            taken_back = await session.withdraw(submission)
        if taken_back:
            await recover(state.held.take([submission]), lambda _: _WITHDRAWN)


async def _let_go(state: WorkerState, recover: Recover) -> None:
    """End what is cancelled and waits to be gone on with: no turn of its runs that could be asked to end."""
    waits = [item.delivery.id for one in state.held.resumptions for item in one.items]
    fresh = [await state.claimed.leased(delivery) for delivery in waits]
    cancelled = [item for item in fresh if item.delivery.wish is Wish.CANCEL]
    if cancelled:
        state.held.drop(item.delivery.id for item in cancelled)
        await recover(cancelled, lambda _: _NOT_GONE_ON_WITH)
