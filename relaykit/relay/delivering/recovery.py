"""What becomes of deliveries that were handed over when a process died: SEMANTICS calls it rule 4.

The agent's lock is held and its orphans are ended before any of this begins.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from relaykit.config.records import OnInterrupted
from relaykit.errors import ProviderError
from relaykit.model import Claim, LeasedDelivery, PastTurn
from relaykit.plugin import ReadsHistory
from relaykit.relay.delivering import verdicts
from relaykit.relay.delivering.verdicts import Verdict
from relaykit.relay.delivering.worker import Worker

HISTORY_SECONDS = 60.0


class Recovery:
    """Decides by the history of the session that each delivery was handed to."""

    def __init__(self, worker: Worker, on_interrupted: OnInterrupted) -> None:
        self._worker = worker
        self._on_interrupted = on_interrupted
        self._histories: dict[str | None, Sequence[PastTurn] | None] = {}

    async def run(self, claim: Claim) -> None:
        """Deal with all that the claim took over."""
        groups: dict[str, list[LeasedDelivery]] = {}
        for delivery in claim.abandoned:
            item = await self._worker.claimed.leased(delivery)
            groups.setdefault(item.delivery.turn or f"delivery {delivery}", []).append(item)
        for items in groups.values():
            await self._read_histories(items)
            await self._worker.recover(items, self._judge)

    async def _read_histories(self, items: Sequence[LeasedDelivery]) -> None:
        for session in {item.delivery.session for item in items} - self._histories.keys():
            self._histories[session] = await self._history(session)

    async def _history(self, session: str | None) -> Sequence[PastTurn] | None:
        reader = self._worker.session
        if session is None or not self._worker.capabilities.history or not isinstance(reader, ReadsHistory):
            return None
        try:
            with anyio.fail_after(HISTORY_SECONDS):
                return await reader.history(session)
        except (ProviderError, TimeoutError):
            return None

    def _judge(self, item: LeasedDelivery) -> Verdict:
        return verdicts.of_history(
            item.delivery,
            self._histories[item.delivery.session],
            known=self._worker.capabilities.history,
            on_interrupted=self._on_interrupted,
        )
