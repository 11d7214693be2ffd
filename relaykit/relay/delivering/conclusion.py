"""Carries out what becomes of deliveries: settled with a reply, released, or handed over again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from relaykit.errors import ProviderError
from relaykit.model import Fault, LeasedDelivery, State
from relaykit.relay.delivering import replies, verdicts
from relaykit.relay.delivering.verdicts import Next, Verdict
from relaykit.relay.faultpoints import reached

if TYPE_CHECKING:
    from relaykit.relay.delivering.handover import HandOver
    from relaykit.relay.delivering.state import WorkerState
    from relaykit.relay.delivering.turns import EndedTurn

Judge = Callable[[LeasedDelivery], Verdict]


class Conclusion:
    """The way from an ended turn back into the mailbox."""

    def __init__(self, state: WorkerState, left: Callable[[str], None]) -> None:
        self._agent = state.agent.id
        self._claimed = state.claimed
        self._notebook = state.notebook
        self._pause = state.pause
        self._left = left

    async def of_turn(self, turn: EndedTurn, items: Sequence[LeasedDelivery], hand_over: HandOver) -> bool:
        """Conclude the deliveries of a turn that ended; return whether more may wait in the queue."""
        spared = self._spared(turn.fault, items)

        def judge(item: LeasedDelivery) -> Verdict:
            if turn.fault and item.delivery.id in spared:
                return verdicts.resting(turn.fault, item.delivery, worked=turn.worked)
            return verdicts.of_ended(turn, item.delivery)

        return await self.by(items, judge, hand_over)

    async def of_refusal(self, error: ProviderError, items: Sequence[LeasedDelivery], hand_over: HandOver) -> None:
        """Conclude deliveries whose text the provider did not take."""
        spared = self._spared(error.fault, items)

        def judge(item: LeasedDelivery) -> Verdict:
            if item.delivery.id in spared:
                return verdicts.resting(error.fault, item.delivery, worked=False)
            return verdicts.of_refusal(error.fault, item.delivery)

        await self.by(items, judge, hand_over)

    async def by(self, items: Sequence[LeasedDelivery], judge: Judge, hand_over: HandOver) -> bool:
        """Conclude deliveries of one turn as they are judged; those with one verdict share it, and one reply.

        Returns whether more may wait in the queue.
        """
        groups: dict[Verdict, list[LeasedDelivery]] = {}
        for item in items:
            groups.setdefault(judge(item), []).append(item)
        more = True
        for verdict, group in groups.items():
            more = await self._apply(verdict, group, hand_over)
        return more

    def _spared(self, fault: Fault | None, items: Sequence[LeasedDelivery]) -> set[int]:
        """Return the deliveries that would be the second death in a row: that is not the messages' fault."""
        if fault is None:
            self._pause.end()
            return set()
        return self._pause.spares(fault, [item.delivery.id for item in items])

    async def _apply(self, verdict: Verdict, items: Sequence[LeasedDelivery], hand_over: HandOver) -> bool:
        more = True
        if verdict.next is Next.SETTLE:
            more = await self._settle(verdict, items)
        else:
            await self._notebook.write_steps()
            await self._keep(verdict, items, hand_over)
        if verdict.pause is not None:
            self._pause.begin(verdict.pause)
        return more

    async def _keep(self, verdict: Verdict, items: Sequence[LeasedDelivery], hand_over: HandOver) -> None:
        """Carry out a verdict by which deliveries do not end."""
        match verdict.next:
            case Next.RELEASE:
                for item in items:
                    await self._claimed.release(item.lease, verdict.reason)
            case Next.REDELIVER:
                for item in items:
                    hand_over.again(item, verdict.reason)
            case Next.CONTINUE:
                hand_over.go_on(items, verdict.reason, quoted=verdict.quoted)
            case Next.BIND:
                hand_over.bind(items)
            case Next.LEAVE:
                self._left(verdict.reason)

    async def _settle(self, verdict: Verdict, items: Sequence[LeasedDelivery]) -> bool:
        state, reply = verdict.state or State.UNKNOWN, None
        if state is State.ANSWERED:
            reply = replies.answer(self._agent, items, verdict.text)
            state = State.ANSWERED if reply else State.ACKNOWLEDGED
        leases = [item.lease for item in items]
        partial = "" if reply else verdict.text
        synced = replies.reach_beyond(items)
        async with self._notebook.handed_on() as (noted, how):
            more = await self._claimed.settle(
                leases, state, verdict.reason, reply=reply, partial=partial, noted=noted, how=how, synced=synced
            )
        reached("settled")
        return more
