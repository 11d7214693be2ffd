"""Delivers one agent's queue over one open session.

One task reads the session and never waits. One loop acts on what it read, on what waits in the mailbox and on
orders, one thing after another, so that nothing here needs a lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import anyio

from relaykit.errors import ProviderError
from relaykit.model import (
    BlockEnded,
    BlockKind,
    Decision,
    LeasedDelivery,
    Occurrence,
    PermissionAsked,
    PermissionClosed,
    Wish,
)
from relaykit.plugin import Waiting
from relaykit.relay.delivering.begun import Begun
from relaykit.relay.delivering.causes import Causes
from relaykit.relay.delivering.conclusion import Conclusion, Judge
from relaykit.relay.delivering.handover import HandOver
from relaykit.relay.delivering.hearing import hear_out
from relaykit.relay.delivering.interruption import Interruption
from relaykit.relay.delivering.lost import SessionLostError
from relaykit.relay.delivering.orders import SessionOrders
from relaykit.relay.delivering.permissions import PermissionDesk
from relaykit.relay.delivering.state import WorkerState
from relaykit.relay.delivering.statuses import StatusBoard, is_reason
from relaykit.relay.delivering.taking import Taking
from relaykit.relay.delivering.turns import EndedTurn, Seen
from relaykit.relay.describing import Description
from relaykit.relay.faultpoints import reached

SETTLE_DOWN_SECONDS = 5.0
"""How long a stop waits at most for an interrupted turn to say that it ended."""
LAST_SECONDS = 5.0
"""How long a stop then waits at most for what is being done, and for what is known to be written down."""


class Worker:
    """Delivers one agent's queue over one open session, until the session is over or it is told to stop.

    Args:
        state: What its parts share.
        description: Kept up to date in the directory.
        begun: The commands that this agent's workers began with so far.
        permission_seconds: A request that nobody answered in that time is denied.
        idle: Called after a step where nothing is under way.
    """

    def __init__(
        self,
        state: WorkerState,
        *,
        description: Description,
        begun: Begun,
        permission_seconds: float,
        idle: Callable[[], None],
    ) -> None:
        self.state = state
        self._description = description
        self._hand_over = HandOver(state, refused=self._refused)
        self.permissions = PermissionDesk(state.agent.approval, state.session, state.claimed, permission_seconds)
        self._conclusion = Conclusion(state, self._left)
        self._causes = Causes(state.claimed, state.session.id)
        self._status = StatusBoard(state)
        self._interruption = Interruption(state, self.recover)
        self.orders = SessionOrders(
            state, begun, hand_over=self._hand_over, interruption=self._interruption, status=self._status
        )
        self.taking = Taking(state, self._hand_over, self._interruption)
        self._facts: deque[Seen | EndedTurn | PermissionAsked | PermissionClosed] = deque()
        self._leave = self._over = self._acting = False
        self._lost = ""
        self._idle = anyio.Event()
        self._ended = anyio.Event()
        self._working = anyio.CancelScope()
        self._tell_idle = idle

    @property
    def patient(self) -> bool:
        """Whether what comes can wait a moment: nothing new could begin, or the queue is looked at just now."""
        return self._acting or self.state.busy

    async def run(self) -> None:
        """Work until the session is over or, while stopping, nothing is left to do.

        Raises:
            SessionLostError: The session does not answer any more.
        """
        state = self.state
        try:
            async with anyio.create_task_group() as tasks:
                state.tasks = tasks
                tasks.start_soon(self._read, name=f"{state.agent.id}: events")
                tasks.start_soon(state.notebook.run, name=f"{state.agent.id}: notes")
                with self._working:
                    await self._work()
                tasks.cancel_scope.cancel()
        finally:
            self._over = True
            self._idle.set()
            self._ended.set()

    async def stop(self, drain: float | None) -> None:
        """Lease nothing more, wait for what runs, then interrupt it; what is left over is continued another time.

        A provider that is busy with an order, or a store that takes nothing, holds it up no longer than a turn does:
        wherever the work is cut off then, it is as if the relay had been killed there, and recovery goes on from it.

        Args:
            drain: Seconds to wait; None is for ever.
        """
        self.state.stopping = True
        if not self._over and self._idle.is_set():
            # What it said last may be out of date: a message may be on its way to the session at this moment.
            # One that is not set stays: another stop may wait for it.
            self._idle = anyio.Event()
        self.state.nudge.ring()
        with anyio.move_on_after(drain):
            await self._idle.wait()
        self._leave = True
        self.state.nudge.ring()
        with anyio.move_on_after(SETTLE_DOWN_SECONDS if drain is None else min(drain, SETTLE_DOWN_SECONDS)):
            await self._idle.wait()
        self._over = True
        self.state.nudge.ring()
        with anyio.move_on_after(LAST_SECONDS):
            await self._ended.wait()
        self._working.cancel()

    def let_go(self) -> None:
        """Stop at once, and leave what runs to the next relay: the session goes on without this one."""
        self.state.stopping = self.state.leaving = self._over = True
        self.state.nudge.ring()

    def hear(self, what: Occurrence) -> None:
        """Take in one thing that the session did; never waits."""
        state = self.state
        state.heard = state.clock.boot()
        state.silent = False
        state.recorder.offer(what)
        facts = state.turns.fold(what)
        self._facts += facts
        if any(isinstance(fact, EndedTurn) for fact in facts) or _may_be_the_last(what):
            state.recorder.hurry()
        if is_reason(what):
            state.nudge.ring()  # for the status
        if isinstance(what, PermissionAsked | PermissionClosed):
            self._facts.append(what)
        elif not facts:
            return
        state.nudge.ring()

    def note_store(self) -> None:
        """The session store began to fail, or takes events again: say so, while the loop may be waiting for it."""
        self.state.nudge.ring()
        self._status.report()

    def lose(self, why: str) -> None:
        """Have the session opened again: it does not answer."""
        self._lost = why
        self.state.nudge.ring()

    async def recover(self, items: Sequence[LeasedDelivery], judge: Judge) -> None:
        """Deal with deliveries of one turn that a dead process left behind."""
        await self._conclusion.by(items, judge, self._hand_over)
        reached("recovered")

    async def _work(self) -> None:
        state = self.state
        self._status.report()
        await state.notebook.write()  # before any hand-over the directory has the session to go on with
        state.wake_in(state.pause.remaining)
        state.nudge.ring()
        while not (self._over or state.cleared):
            await self._step(await state.nudge.wait())
        await self._conclude_facts()  # the last words of a session that is over
        await state.notebook.write()

    async def _read(self) -> None:
        await hear_out(self.state.session.events, self.hear)
        self._over = True
        self.state.nudge.ring()

    async def _step(self, waiting: Waiting) -> None:
        self._acting, self.taking.known_empty = True, False
        await self._conclude_facts()
        if self._lost:
            raise SessionLostError(self._lost)
        if waiting.wished:
            await self._interruption.learn()
        if waiting.decisions:
            await self._tell_decisions()
        await self.orders.carry_out()
        if self._leave:
            await self._interruption.ask(Wish.STOP)
        await self._take_work(waiting)
        await self._description.refresh()
        self._mark_idle()
        self._status.report()
        self._acting = False
        if not self.state.busy:
            self._tell_idle()

    async def _conclude_facts(self) -> None:
        while self._facts:
            match self._facts.popleft():
                case Seen() as seen:
                    self._mark_seen(seen)
                    await self._interruption.repeat(seen.submission)
                case EndedTurn() as turn:
                    await self._conclude_turn(turn)
                case PermissionAsked() as asked:
                    await self.permissions.take(asked.question)
                case PermissionClosed() as closed:
                    await self.permissions.close(closed)

    def _mark_seen(self, seen: Seen) -> None:
        for item in self.state.held.of([seen.submission]):
            self.state.notebook.step(item.lease, seen.turn)

    async def _conclude_turn(self, turn: EndedTurn) -> None:
        # Nothing more is handed to a process that is dead: its death would count for what had no part in it.
        self._over = self._over or turn.by == "process"
        items = self.state.held.take(turn.submissions)
        await self._causes.note(turn, items)
        await self.permissions.turn_ended(turn.id)
        if not items:
            return
        await self.state.recorder.flush()
        reached("ended")
        self._status.note()
        self.taking.known_empty = not await self._conclusion.of_turn(turn, items, self._hand_over)
        self.state.wake_in(self.state.pause.remaining)

    async def _refused(self, error: ProviderError, items: Sequence[LeasedDelivery]) -> None:
        await self._conclusion.of_refusal(error, items, self._hand_over)
        self.state.wake_in(self.state.pause.remaining)

    def _left(self, why: str) -> None:
        """Something is left to the next recovery, which would not come while this session goes on."""
        if not (self.state.stopping or self._over):
            self.lose(why)

    async def _tell_decisions(self) -> None:
        for request in await self.state.claimed.decided():
            if request.decision is Decision.ABORT and self._runs(request.question.turn):
                # The provider ends the turn when it is told to abort: the wish is there before it is told.
                await self._interruption.record(Wish.INTERRUPT)
            await self.permissions.tell(request)

    def _runs(self, turn: str | None) -> bool:
        """Whether a turn runs; None stands for whichever does."""
        running = self.state.turns.running
        return turn is None or (running is not None and running.id == turn)

    async def _take_work(self, waiting: Waiting) -> None:
        state = self.state
        if not (state.stopping or self._over or state.pause.remaining or state.recorder.failing):
            await self.taking.take(waiting)

    def _mark_idle(self) -> None:
        if not self.state.busy:
            self._idle.set()
        elif self._idle.is_set():
            self._idle = anyio.Event()


def _may_be_the_last(what: Occurrence) -> bool:
    """Whether a turn may end with it. The reply waits for what is not stored by then, and the program is not done yet."""
    if not isinstance(what, BlockEnded):
        return False
    return what.block.kind is BlockKind.ASSISTANT_TEXT and what.block.conversation == "main"
