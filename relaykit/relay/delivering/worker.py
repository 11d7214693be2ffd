"""Delivers one agent's queue over one open session.

One task reads the session and never waits. One loop acts on what it read, on what waits in the mailbox and on
orders, one thing after another, so that nothing here needs a lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import anyio
from anyio.abc import TaskGroup

from relaykit.config.records import AgentConfig
from relaykit.errors import ProviderError
from relaykit.model import (
    Capabilities,
    Decision,
    LeasedDelivery,
    Occurrence,
    PermissionAsked,
    PermissionClosed,
    Whose,
    Wish,
)
from relaykit.plugin import Clock, Session, Waiting
from relaykit.relay.delivering.begun import Begun
from relaykit.relay.delivering.causes import Causes
from relaykit.relay.delivering.claimed import ClaimedMailbox
from relaykit.relay.delivering.conclusion import Conclusion, Judge
from relaykit.relay.delivering.handover import HandOver, SessionLostError
from relaykit.relay.delivering.hearing import hear_out
from relaykit.relay.delivering.held import Held
from relaykit.relay.delivering.interruption import Interruption
from relaykit.relay.delivering.notebook import Notebook
from relaykit.relay.delivering.orders import SessionOrders
from relaykit.relay.delivering.pause import Pause
from relaykit.relay.delivering.permissions import PermissionDesk
from relaykit.relay.delivering.statuses import StatusBoard, is_reason
from relaykit.relay.delivering.taking import Taking
from relaykit.relay.delivering.turns import EndedTurn, Seen, Turns
from relaykit.relay.describing import Description
from relaykit.relay.dispatcher import Bell
from relaykit.relay.events.recorder import Recorder
from relaykit.relay.faultpoints import reached

SETTLE_DOWN_SECONDS = 5.0
"""How long a stop waits at most for an interrupted turn to say that it ended."""


class Worker:
    """Delivers one agent's queue over one open session, until the session is over or it is told to stop."""

    def __init__(
        self,
        agent: AgentConfig,
        session: Session,
        capabilities: Capabilities,
        *,
        claimed: ClaimedMailbox,
        description: Description,
        recorder: Recorder,
        clock: Clock,
        pause: Pause,
        begun: Begun,
        permission_seconds: float,
        idle: Callable[[], None],
    ) -> None:
        self.agent = agent
        self.session = session
        self.capabilities = capabilities
        self.claimed = claimed
        self._description = description
        self.recorder = recorder
        self.clock = clock
        self.pause = pause
        self.nudge = Bell()
        self.turns = Turns()
        self.held = Held()
        self.heard = clock.boot()
        """When the session gave its last sign of life, by the boot clock."""
        self.silent = False
        """Set by the watchdog while the provider gives none."""
        self.stopping = False
        self.cleared = False
        """Whether its session is forgotten, and a new one takes its place."""
        self.leaving = False
        """Whether the session goes on without this relay."""
        self.notebook = Notebook(claimed, clock)
        self.hand_over = HandOver(
            session, capabilities, claimed, held=self.held, notebook=self.notebook, refused=self._refused
        )
        self.orders = SessionOrders(self, begun)
        self.permissions = PermissionDesk(agent.approval, session, claimed, permission_seconds)
        self._conclusion = Conclusion(agent.id, claimed, self.notebook, pause)
        self.causes = Causes(claimed, session.id)
        self.status = StatusBoard(self)
        self.interruption = Interruption(self)
        self.taking = Taking(self)
        self._facts: deque[Seen | EndedTurn | PermissionAsked | PermissionClosed] = deque()
        self._leave = self._over = self._acting = False
        self._lost = ""
        self._idle = anyio.Event()
        self._tell_idle = idle
        self._tasks: TaskGroup | None = None

    @property
    def busy(self) -> bool:
        """Whether something was handed over that has no end, or a turn runs."""
        return bool(self.held) or self.turns.running is not None

    @property
    def patient(self) -> bool:
        """Whether what comes can wait a moment: nothing new could begin, or the queue is looked at just now."""
        return self._acting or self.busy

    async def run(self) -> None:
        """Work until the session is over or, while stopping, nothing is left to do.

        Raises:
            SessionLostError: The session does not answer any more.
        """
        try:
            async with anyio.create_task_group() as self._tasks:
                self._tasks.start_soon(self._read, name=f"{self.agent.id}: events")
                self._tasks.start_soon(self.notebook.run, name=f"{self.agent.id}: notes")
                self.status.report()
                await self.notebook.write()  # before any hand-over the directory has the session to go on with
                self.wake_in(self.pause.remaining)
                self.nudge.ring()
                while not (self._over or self.cleared):
                    await self._step(await self.nudge.wait())
                await self._conclude_facts()  # the last words of a session that is over
                await self.notebook.write()
                self._tasks.cancel_scope.cancel()
        finally:
            self._over = True
            self._idle.set()

    async def stop(self, drain: float | None) -> None:
        """Lease nothing more, wait for what runs, then interrupt it; what is left over is continued another time.

        Args:
            drain: Seconds to wait; None is for ever.
        """
        self.stopping = True
        if not self._over:
            # What it said last may be out of date: a message may be on its way to the session at this moment.
            self._idle = anyio.Event()
        self.nudge.ring()
        with anyio.move_on_after(drain):
            await self._idle.wait()
        self._leave = True
        self.nudge.ring()
        with anyio.move_on_after(SETTLE_DOWN_SECONDS if drain is None else min(drain, SETTLE_DOWN_SECONDS)):
            await self._idle.wait()
        self._over = True
        self.nudge.ring()

    def let_go(self) -> None:
        """Stop at once, and leave what runs to the next relay: the session goes on without this one."""
        self.stopping = self.leaving = self._over = True
        self.nudge.ring()

    def hear(self, what: Occurrence) -> None:
        """Take in one thing that the session did; never waits."""
        self.heard = self.clock.boot()
        self.silent = False
        self.recorder.offer(what)
        facts = self.turns.fold(what)
        self._facts += facts
        if any(isinstance(fact, EndedTurn) for fact in facts):
            self.recorder.hurry()
        if is_reason(what):
            self.nudge.ring()  # for the status
        if isinstance(what, PermissionAsked | PermissionClosed):
            self._facts.append(what)
        elif not facts:
            return
        self.nudge.ring()

    def note_store(self) -> None:
        """The session store began to fail, or takes events again: say so, while the loop may be waiting for it."""
        self.nudge.ring()
        self.status.report()

    def lose(self, why: str) -> None:
        """Have the session opened again: it does not answer."""
        self._lost = why
        self.nudge.ring()

    def wake_in(self, seconds: float) -> None:
        """Look again after that time, in which nothing else may happen."""
        if self._tasks is not None and seconds > 0:
            self._tasks.start_soon(self._wake, seconds, name=f"{self.agent.id}: wake in {seconds:.0f} s")

    async def recover(self, items: Sequence[LeasedDelivery], judge: Judge) -> None:
        """Deal with deliveries of one turn that a dead process left behind."""
        await self._conclusion.by(items, judge, self.hand_over)
        reached("recovered")

    async def _wake(self, seconds: float) -> None:
        await self.clock.sleep(seconds)
        self.nudge.ring()

    async def _read(self) -> None:
        await hear_out(self.session.events, self.hear)
        self._over = True
        self.nudge.ring()

    async def _step(self, waiting: Waiting) -> None:
        self._acting = self.taking.more = True
        await self._conclude_facts()
        if self._lost:
            raise SessionLostError(self._lost)
        if waiting.wished:
            await self.interruption.learn()
        if waiting.decisions:
            await self._tell_decisions()
        await self.orders.carry_out()
        if self._leave:
            await self.interruption.ask(Wish.STOP)
        await self._take_work(waiting)
        await self._description.refresh()
        self._mark_idle()
        self.status.report()
        self._acting = False
        if not self.busy:
            self._tell_idle()

    async def _conclude_facts(self) -> None:
        while self._facts:
            match self._facts.popleft():
                case Seen() as seen:
                    self._mark_seen(seen)
                    await self.interruption.repeat(seen.submission)
                case EndedTurn() as turn:
                    await self._conclude_turn(turn)
                case PermissionAsked() as asked:
                    await self.permissions.take(asked.question)
                case PermissionClosed() as closed:
                    await self.permissions.close(closed)

    def _mark_seen(self, seen: Seen) -> None:
        for item in self.held.of([seen.submission]):
            self.notebook.step(item.lease, seen.turn)

    async def _conclude_turn(self, turn: EndedTurn) -> None:
        # Nothing more is handed to a process that is dead: its death would count for what had no part in it.
        self._over = self._over or turn.by == "process"
        items = self.held.take(turn.submissions)
        await self.causes.note(turn, items)
        await self.permissions.turn_ended()
        if not items:
            return
        await self.recorder.flush()
        reached("ended")
        self.status.note()
        self.taking.more = await self._conclusion.of_turn(turn, items, self.hand_over)
        self.wake_in(self.pause.remaining)

    async def _refused(self, error: ProviderError, items: Sequence[LeasedDelivery]) -> None:
        await self._conclusion.of_refusal(error, items, self.hand_over)
        self.wake_in(self.pause.remaining)
        if error.fault.whose is Whose.PROCESS:
            self.lose(error.fault.message)

    async def _tell_decisions(self) -> None:
        for request in await self.claimed.decided():
            if request.decision is Decision.ABORT:
                # The provider ends the turn when it is told to abort: the wish is there before it is told.
                await self.interruption.record(Wish.INTERRUPT)
            await self.permissions.tell(request)

    async def _take_work(self, waiting: Waiting) -> None:
        if not (self.stopping or self._over or self.pause.remaining or self.recorder.failing):
            await self.taking.take(waiting)

    def _mark_idle(self) -> None:
        if not self.busy:
            self._idle.set()
        elif self._idle.is_set():
            self._idle = anyio.Event()
