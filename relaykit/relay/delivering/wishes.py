"""What people came to wish of what was handed over already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from relaykit.model import State, Wish
from relaykit.plugin import Withdraws
from relaykit.relay.delivering.verdicts import settle

if TYPE_CHECKING:
    from relaykit.relay.delivering.worker import Worker

_SECONDS = 10.0
_WITHDRAWN = settle(State.CANCELLED, "it was cancelled, and taken back from the provider before it began with it")


async def learn_wishes(worker: Worker) -> None:
    """Look again at all that is held; what is cancelled and was not begun with is taken back from the provider."""
    for item in worker.held.all():
        worker.held.refresh(await worker.claimed.leased(item.delivery.id))
    session, turn = worker.session, worker.turns.running
    if not worker.capabilities.withdraw or not isinstance(session, Withdraws):
        return
    begun = set(turn.submissions) if turn else set()
    for submission in worker.held.wished(Wish.CANCEL) - begun:
        with anyio.move_on_after(_SECONDS):
            if await session.withdraw(submission):
                await worker.recover(worker.held.take([submission]), lambda _: _WITHDRAWN)
