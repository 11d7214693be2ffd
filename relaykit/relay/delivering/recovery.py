"""What becomes of deliveries that were handed over when a process died: SEMANTICS calls it rule 4.

The agent's lock is held and its orphans are ended before any of this begins.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from relaykit.config.records import OnInterrupted
from relaykit.errors import ProviderError
from relaykit.model import Claim, LeasedDelivery, Outcome, PastTurn
from relaykit.plugin import ReadsHistory
from relaykit.relay.delivering import verdicts
from relaykit.relay.delivering.verdicts import Verdict
from relaykit.relay.delivering.worker import Worker

HISTORY_SECONDS = 60.0
_LOOKS, _LOOK_SECONDS = 5, 0.2
"""How often, and how quickly after one another, a detached process is asked for a text that it does not know of, or whose
turn it calls cut off: it may be reading it, or beginning with it, at this moment. Handed over again, it would be done
twice."""


class Recovery:
    """Decides by the history of the session that each delivery was handed to."""

    def __init__(self, worker: Worker, on_interrupted: OnInterrupted) -> None:
        self._worker = worker
        self._on_interrupted = on_interrupted
        self._histories: dict[str | None, Sequence[PastTurn] | None] = {}

    async def keep_requests(self, session: str) -> None:
        """Close the permission requests of the session that an earlier life left open, but those of running turns."""
        running: set[str] = set()
        if self._worker.state.capabilities.detached:
            running = {turn.id for turn in await self._history(session) or () if turn.outcome is None}
        await self._worker.permissions.inherit(session, running)

    async def run(self, claim: Claim) -> None:
        """Deal with all that the claim took over."""
        items = [await self._worker.state.claimed.leased(delivery) for delivery in claim.abandoned]
        await self._read_histories(items)
        items = [await self._forgiven(item, claim) for item in items]
        groups: dict[tuple[str | None, str], list[LeasedDelivery]] = {}
        for item in items:
            groups.setdefault(self._turn(item), []).append(item)
        for group in groups.values():
            await self._worker.recover(group, self._judge)

    async def _forgiven(self, item: LeasedDelivery, claim: Claim) -> LeasedDelivery:
        """Return it with the deaths that are its own: nothing that died before the hand-over died of it."""
        counted = item.delivery.id in claim.counted
        if counted and verdicts.never_handed_over(item.delivery, self._histories[item.delivery.session]):
            return await self._worker.state.claimed.forgive(item.lease)
        return item

    def _turn(self, item: LeasedDelivery) -> tuple[str | None, str]:
        """Return what those of one turn have in common: its history knows all that joined, the mailbox a moment late."""
        delivery = item.delivery
        past = verdicts.turn_of(delivery, self._histories[delivery.session])
        if past is not None:
            return delivery.session, past.id
        return None, delivery.turn or delivery.submission or f"delivery {delivery.id}"

    async def _read_histories(self, items: Sequence[LeasedDelivery]) -> None:
        for session in {item.delivery.session for item in items} - self._histories.keys():
            submissions = {item.delivery.submission for item in items if item.delivery.session == session}
            self._histories[session] = await self._settled_history(session, submissions)

    async def _settled_history(self, session: str | None, submissions: set[str | None]) -> Sequence[PastTurn] | None:
        """Read the history; of a process that outlived the relay once more, for what it was handed just then."""
        turns = await self._history(session)
        for _ in range(_LOOKS if self._worker.state.capabilities.detached else 0):
            if turns is None or submissions <= _told(turns):
                break
            await self._worker.state.clock.sleep(_LOOK_SECONDS)
            turns = await self._history(session)
        return turns

    async def _history(self, session: str | None) -> Sequence[PastTurn] | None:
        reader = self._worker.state.session
        if session is None or not self._worker.state.capabilities.history or not isinstance(reader, ReadsHistory):
            return None
        try:
            with anyio.fail_after(HISTORY_SECONDS):
                return await reader.history(session)
        except (ProviderError, TimeoutError):
            return None

    def _judge(self, item: LeasedDelivery) -> Verdict:
        elsewhere = item.delivery.session != self._worker.state.session.id
        return verdicts.of_history(
            item.delivery,
            self._histories[item.delivery.session],
            known=self._worker.state.capabilities.history,
            on_interrupted=self._on_interrupted,
            elsewhere=elsewhere,
            detached=self._worker.state.capabilities.detached and not elsewhere,
            expires=item.message.expires_at is not None,
        )


def _told(turns: Sequence[PastTurn]) -> set[str | None]:
    """Return the submissions of whose turns it is known that they run, or how they ended."""
    return {name for turn in turns if turn.outcome is not Outcome.INTERRUPTED for name in turn.submissions}
