"""Keeps one agent running: holds its lock, opens its session again when it ended, obeys orders about its life."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio.abc import TaskStatus

from relaykit.errors import NotFoundError, ProviderError
from relaykit.model import (
    DRAIN,
    OFFLINE,
    Agent,
    Claim,
    Command,
    CommandKind,
    CommandState,
    Fault,
    PastSession,
    Report,
)
from relaykit.plugin import ListsSessions
from relaykit.relay.attaching import Attaching
from relaykit.relay.children.detached import end_detached_of
from relaykit.relay.children.orphans import end_orphans
from relaykit.relay.dispatcher import Bell
from relaykit.relay.endings import BY_ORDER, End, died, never_ready, why
from relaykit.relay.insisting import insist, unless
from relaykit.relay.life import AgentSetting, Ready, is_gone, open_worker, work
from relaykit.relay.ownership import agent_lock, children_directory, last_run
from relaykit.relay.restarts import Restarts, resting
from relaykit.wakeups import AutoResetEvent

if TYPE_CHECKING:
    from relaykit.relay.delivering.worker import Worker

T = TypeVar("T")
_RETIRE_SECONDS = 5.0
_OF_LIFE = (CommandKind.STOP, CommandKind.KILL, *BY_ORDER)


class Supervisor:
    """Keeps one agent running until it is stopped or killed."""

    def __init__(self, agent: Agent, setting: AgentSetting) -> None:
        self._agent = agent
        self._setting = setting
        self._services = setting.services
        self._restarts = Restarts(setting.services.clock)
        self._bell = Bell(patient=self._is_patient, hint=self._hint)
        self._worker: Worker | None = None
        self._life = anyio.CancelScope()
        self._epoch = 0
        self._session = setting.agent.session
        self._wanted: CommandKind | None = None
        self._again = AutoResetEvent()
        self._first = anyio.Event()
        self._ready: Ready | None = None
        self._leaves = False
        self._attaching = Attaching(self.id, setting.services, lambda: self._stopped)
        self._trouble: Fault | None = None

    @property
    def id(self) -> str:
        """The agent's id."""
        return self._agent.id

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Run the agent until it is stopped; started once its lock is held and the directory has it.

        Raises:
            AlreadyRunError: Another relay runs it.
        """
        services = self._services
        with agent_lock(services.config.home, self.id):
            await end_orphans(children_directory(services.config.home, self.id), services.clock.boot_id())
            claim = await self._claim(deaths=await self._died_before())
            task_status.started()
            await self._run(claim)

    async def _run(self, claim: Claim) -> None:
        services = self._services
        async with anyio.create_task_group() as tasks:
            services.dispatcher.enlist(self.id, self._bell)
            try:
                tasks.start_soon(self._obey, name=f"{self.id}: orders")
                await self._supervise(claim)
            finally:
                services.dispatcher.dismiss(self.id)
                self._first.set()
            tasks.cancel_scope.cancel()
        # Only an end in good order is one: what a relay that breaks down leaves behind counts as held by the dead.
        with anyio.move_on_after(_RETIRE_SECONDS, shield=True):
            await self._insist(lambda: services.mailbox.retire(self.id, self._epoch, OFFLINE))

    async def first_ready(self) -> Ready:
        """Return how the agent is up, once its first life is ready; raise what kept that from beginning."""
        await self._first.wait()
        if self._ready is not None:
            return self._ready
        raise ProviderError(self._trouble) if self._trouble else never_ready(self.id)

    async def past_sessions(self, limit: int) -> Sequence[PastSession]:
        """Return the conversations that the provider remembers; NotFoundError where that cannot be told now."""
        session = self._worker.state.session if self._worker else None
        if not isinstance(session, ListsSessions):
            raise NotFoundError(f"{self.id} cannot list its provider's sessions, or is not ready")
        return await session.past_sessions(limit=limit)

    async def stop(self, drain: float | None, *, leave: bool = False) -> None:
        """End the agent's life in good order; what runs is waited for, then interrupted, or left where it is detached."""
        self._wanted = CommandKind.STOP
        self._leaves = leave
        await self._end_life(drain, leave=leave)

    def kill(self, *, leave: bool = False) -> None:
        """End the agent's life at once; ``leave`` spares a detached process that has been ready."""
        self._wanted = CommandKind.KILL
        self._leaves = leave and self._ready is not None
        self._again.set()
        self._life.cancel()

    async def _supervise(self, claim: Claim | None) -> None:
        while claim is not None:
            began = self._services.clock.boot()
            end = await self._next_life(claim)
            if (self._stopped or end is End.RESTARTED) and not self._leaves:
                await end_detached_of(self._services, self.id)
            await self._between(end, self._services.clock.boot() - began)
            claim = await self._unless_stopped(partial(self._claim, deaths=end is End.DIED))

    async def _next_life(self, claim: Claim) -> End:
        """Live once. This is the supervisor: whatever a provider raises ends one life, and is reported."""
        try:
            while not self._stopped and await self._attaching.held(self._epoch, self._session, self._again):
                pass  # a person has the session: whatever else was ordered waits, too
            return End.STOPPED if self._stopped else await self._live(claim)
        except Exception as error:  # noqa: BLE001 - a provider's mistake must not end the relay
            trouble = why(error, ready=self._worker is not None)
            return self._died(trouble) if isinstance(trouble, str) else await self._unavailable(trouble)
        finally:
            self._worker = None

    async def _claim(self, *, deaths: bool) -> Claim:
        claim = await self._services.mailbox.claim(self._agent, self._services.incarnation, deaths=deaths)
        self._epoch = claim.epoch
        return claim

    @property
    def _stopped(self) -> bool:
        return self._wanted in (CommandKind.STOP, CommandKind.KILL)

    async def _live(self, claim: Claim) -> End:
        self._wanted = None
        with anyio.CancelScope() as self._life:
            async with open_worker(self._setting, claim, self._session) as self._worker:
                self._be_ready(self._worker)
                await work(self._worker, self._setting.agent.silence)
                if self._worker.state.cleared:
                    self._session = None
                    return End.RESTARTED
        ordered = End.STOPPED if self._stopped else self._wanted and BY_ORDER.get(self._wanted)
        return ordered or self._died("its session ended by itself")

    def _be_ready(self, worker: Worker) -> None:
        self._session = worker.state.session.id
        self._trouble = None
        self._ready = Ready(
            agent=self.id, provider=self._agent.provider, pid=worker.state.session.pid, session=worker.state.session.id
        )
        self._first.set()

    async def _unavailable(self, error: ProviderError) -> End:
        if is_gone(error) and (gone := self._session) is not None:
            self._services.report(f"{self.id}: {error}; beginning a new session")
            self._session = None
            withdraw = self._services.mailbox.withdraw
            await self._unless_stopped(lambda: withdraw(gone, None, "the session that asked is gone"))
            return End.RESTARTED
        self._trouble = error.fault
        self._first.set()
        self._services.report(f"{self.id}: {error}")
        return End.UNAVAILABLE

    def _died(self, why: str) -> End:
        self._trouble = died(why)
        self._services.report(f"{self.id}: {why}")
        return End.DIED

    async def _between(self, end: End, lived: float) -> None:
        """Wait as long as it takes before the next life, unless someone orders otherwise."""
        self._again.clear()
        match end:
            case End.ATTACHED:
                await self._attaching.hand_over()
            case End.UNAVAILABLE if self._trouble is not None:
                await self._rest(self._setting.pause.begin(self._trouble), "paused")
            case End.DIED:
                delay = self._restarts.exited(lived)
                await self._rest(delay, "restarting" if delay is not None else "gave_up")
            case _:
                self._restarts.forget()

    async def _rest(self, seconds: float | None, reason: str) -> None:
        if self._stopped:
            return
        status = resting(reason, self._trouble, self._services.clock.now(), seconds)
        report = Report(agent=self.id, epoch=self._epoch, status=status, pid=None, session=self._session)
        await self._unless_stopped(lambda: self._services.mailbox.note((), report))
        if seconds is None:
            self._first.set()
            self._services.report(f"{self.id}: given up; `relaykit restart {self.id}` tries again")
        async with anyio.create_task_group() as tasks:
            if seconds is not None:
                tasks.start_soon(self._end_rest, seconds, name=f"{self.id}: {reason}")
            await self._again.wait()
            tasks.cancel_scope.cancel()

    async def _end_rest(self, seconds: float) -> None:
        await self._services.clock.sleep(seconds)
        self._again.set()

    def _is_patient(self) -> bool:
        return self._worker is not None and self._worker.patient

    def _hint(self) -> None:
        if self._worker is not None:
            self._worker.taking.hint()

    async def _obey(self) -> None:
        async with anyio.create_task_group() as tasks:
            while True:
                waiting = await self._bell.wait()
                if waiting.commands:
                    commands = await self._insist(lambda: self._services.mailbox.orders(self.id, self._epoch))
                    tasks.start_soon(self._take, commands, name=f"{self.id}: orders")
                if self._worker is not None:
                    self._worker.state.nudge.ring(waiting)

    async def _take(self, commands: Sequence[Command]) -> None:
        mine = [command for command in commands if command.kind in _OF_LIFE]
        if self._worker is not None and not self._worker.state.stopping:
            self._worker.orders.give([command for command in commands if command not in mine])
        for command in filter(self._setting.begun.begin, mine):
            await self._carry_out(command)

    async def _carry_out(self, command: Command) -> None:
        advance = self._services.mailbox.advance
        await self._insist(lambda: advance(command.id, CommandState.RUNNING))
        match command.kind:
            case CommandKind.KILL:
                self.kill()
            case CommandKind.ATTACH:
                await self._attach(command)
            case CommandKind.STOP:
                await self.stop(None if command.text == DRAIN else self._services.config.drain_seconds)
            case _:
                self._wanted = self._wanted or command.kind
                self._restarts.forget()
                self._setting.pause.cut_short()
                if not (rejoins := command.kind is CommandKind.RECONNECT):
                    self._setting.overrides.clear()
                await self._end_life(self._services.config.drain_seconds, leave=rejoins)
                told = "it is joined again" if rejoins else "it is started again"
                await self._insist(lambda: advance(command.id, CommandState.SUCCEEDED, told))

    async def _attach(self, command: Command) -> None:
        worker = self._worker
        if worker is None or worker.state.stopping:
            await self._attaching.refuse(command)
        elif await self._attaching.join(worker.state.session, command):
            self._wanted = self._wanted or CommandKind.ATTACH
            await worker.stop(None)  # what runs may end; nothing is interrupted for a person who looks in

    async def _insist(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Use the mailbox, however long it cannot be used: that ends no relay."""
        return await insist(operation, self._services.clock, lambda line: self._services.report(f"{self.id}: {line}"))

    async def _unless_stopped(self, operation: Callable[[], Awaitable[T]]) -> T | None:
        """Insist on what comes between two lives; None once the agent is stopped, after which comes none."""
        return await self._insist(unless(lambda: self._stopped, operation))

    async def _end_life(self, drain: float | None, *, leave: bool = False) -> None:
        self._again.set()
        worker = self._worker
        if worker is None:
            self._life.cancel()  # it is only now opening
        elif leave and worker.state.capabilities.detached:
            worker.let_go()
        else:
            await worker.stop(drain)

    async def _died_before(self) -> bool:
        """Whether the last relay that ran the agent died on this boot, without leaving in good order."""
        session, died = await last_run(self._services, self.id)
        self._session = session or self._session
        return died
