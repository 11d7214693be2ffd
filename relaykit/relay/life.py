"""One life of an agent: its provider is open, its session is open, its worker works."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from msgspec import Struct, field
from msgspec.structs import replace

from relaykit.config.records import AgentConfig
from relaykit.errors import ProviderError
from relaykit.model import Agent, Claim, SessionRecord
from relaykit.plugin import AnswersHooks, Endpoint, Provider, Session, SessionRequest
from relaykit.relay.cancellations import ordered_only
from relaykit.relay.children.orphans import end_detached
from relaykit.relay.delivering.begun import Begun
from relaykit.relay.delivering.claimed import ClaimedMailbox
from relaykit.relay.delivering.overrides import Overrides
from relaykit.relay.delivering.pause import Pause
from relaykit.relay.describing import Description
from relaykit.relay.doorway import Hearing
from relaykit.relay.edge import admitted
from relaykit.relay.faultpoints import reached
from relaykit.relay.ownership import children_directory
from relaykit.relay.projecting import ProfileProjector
from relaykit.relay.services import Services

if TYPE_CHECKING:
    from relaykit.relay.delivering.worker import Worker
    from relaykit.relay.events.recorder import Recorder

SESSION_GONE = "session_not_found"
"""The fault code by which a provider says that a session cannot be gone on with."""

_CLOSE_SECONDS = 5.0
_GATHER_SECONDS = 0.1
"""How long events wait to be stored together: nobody notices, and a transaction costs as much as a dozen events."""

OpenProvider = Callable[[], AbstractAsyncContextManager[Provider]]


class Ready(Struct, frozen=True, kw_only=True):
    """An agent is ready to take text."""

    agent: str
    provider: str
    pid: int | None
    session: str


class AgentSetting(Struct, frozen=True, kw_only=True):
    """What every life of one agent has in common."""

    agent: AgentConfig
    record: Agent
    """As the directory is to know it."""
    request: SessionRequest
    projector: ProfileProjector
    open_provider: OpenProvider
    services: Services
    pause: Pause
    begun: Begun = field(default_factory=Begun)
    overrides: Overrides = field(default_factory=Overrides)


@asynccontextmanager
async def open_worker(setting: AgentSetting, claim: Claim, resume: str | None) -> AsyncIterator[Worker]:
    """Open provider and session, deal with what an earlier life left behind, and yield a worker that is ready.

    Raises:
        ProviderError: The provider or its session could not be opened.
    """
    reached("claimed")
    services = setting.services
    with ordered_only():
        async with setting.open_provider() as provider:
            if not provider.capabilities.detached:
                # One that the configuration no longer wants detached would be a second writer of the same session.
                await end_detached(children_directory(services.config.home, setting.agent.id), services.clock.boot_id())
            async with _worker(setting, claim, resume, provider) as worker:
                yield worker


@asynccontextmanager
async def _worker(setting: AgentSetting, claim: Claim, resume: str | None, provider: Provider) -> AsyncIterator[Worker]:
    services, hearing = setting.services, Hearing()
    async with (
        admitted(services, setting.agent.id, provider, hearing) as endpoint,
        _open_session(provider, setting, endpoint, resume) as session,
    ):
        # Imported while the process started: nothing before that needs them.
        from relaykit.relay.delivering.recovery import Recovery  # noqa: PLC0415
        from relaykit.relay.delivering.state import WorkerState  # noqa: PLC0415
        from relaykit.relay.delivering.worker import Worker  # noqa: PLC0415
        from relaykit.relay.events.recorder import open_recorder  # noqa: PLC0415

        claimed = _claimed(setting, claim)
        description = Description(setting.record, provider, claimed)
        await description.refresh()
        record = await services.sessions.begin(_record(setting, session))
        worker: Worker | None = None
        async with open_recorder(
            record,
            store=services.sessions,
            fanout=services.fanout,
            clock=services.clock,
            notify=lambda _: worker.note_store() if worker else None,
            gather=_GATHER_SECONDS,
        ) as recorder:
            _tell_profile(setting, recorder)
            state = WorkerState(
                setting.agent,
                session,
                provider.capabilities,
                claimed=claimed,
                recorder=recorder,
                clock=services.clock,
                pause=setting.pause,
                overrides=setting.overrides,
            )
            worker = Worker(
                state,
                description=description,
                begun=setting.begun,
                permission_seconds=services.config.permission_hours * 3600,
                idle=services.dispatcher.hurry,
            )
            answer = session.hook if isinstance(session, AnswersHooks) else None
            hearing.attach(worker.hear, state.notebook.write_steps, answer)
            recovery = Recovery(worker, setting.agent.on_interrupted)
            if resume is not None:
                await recovery.keep_requests(resume)
            await recovery.run(claim)
            yield worker
            if _goes_on(worker):
                return
            with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
                await claimed.withdraw(session.id, None, "the session was closed")
        with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
            await services.sessions.end(session.id, services.clock.now())


async def work(worker: Worker, silence: float) -> None:
    """Let a worker work, watched, until its session is over or it was stopped."""
    from relaykit.relay.delivering.watchdog import Watchdog  # noqa: PLC0415 - as above

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Watchdog(worker, silence).run, name=f"{worker.state.agent.id}: watchdog")
        with ordered_only():
            await worker.run()
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def _open_session(
    provider: Provider, setting: AgentSetting, endpoint: Endpoint | None, resume: str | None
) -> AsyncIterator[Session]:
    request = await setting.projector.prepare(setting.request)
    wanted = replace(request, endpoint=endpoint, resume=resume if provider.capabilities.resume else None)
    async with provider.session(wanted) as session:
        await setting.overrides.apply(session)
        yield session


def _claimed(setting: AgentSetting, claim: Claim) -> ClaimedMailbox:
    services = setting.services
    return ClaimedMailbox(
        services.mailbox,
        services.clock,
        services.attached(setting.agent.id),
        agent=setting.agent.id,
        owner=services.incarnation,
        epoch=claim.epoch,
    )


def _tell_profile(setting: AgentSetting, recorder: Recorder) -> None:
    """Record what became of the agent's profile; what cannot be done is told once to whoever runs the relay."""
    profile, projector = setting.request.profile, setting.projector
    if profile is None:
        return
    recorder.offer(projector.note(profile.name))
    if (short := projector.shortfalls) and not projector.told:
        projector.told = True
        setting.services.report(
            f"{setting.agent.id}: profile {profile.name} is not wholly projected: {'; '.join(short)}"
        )


def _record(setting: AgentSetting, session: Session) -> SessionRecord:
    return SessionRecord(
        id=session.id,
        agent=setting.agent.id,
        provider=setting.agent.provider,
        cwd=str(setting.agent.cwd),
        started_at=setting.services.clock.now(),
    )


def _goes_on(worker: Worker) -> bool:
    """Whether the session lives on: in a detached process that nobody ordered to end."""
    state = worker.state
    return state.capabilities.detached and not state.cleared and (state.leaving or not state.stopping)


def is_gone(error: ProviderError) -> bool:
    """Whether the provider says that the session cannot be gone on with."""
    return error.fault.code == SESSION_GONE
