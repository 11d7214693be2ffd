"""Opens a relay: components, then tasks, then agents; leaving it goes backwards."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import anyio
from anyio.abc import TaskGroup
from msgspec.structs import replace

from relaykit.config.records import AgentConfig, Config
from relaykit.errors import ConfigError
from relaykit.model import new_id
from relaykit.plugin.transport import Subscribable
from relaykit.registry import Registry, load
from relaykit.relay import housekeeping
from relaykit.relay.agents import agent_record, session_request
from relaykit.relay.assemble import Assembly, Opened, Report
from relaykit.relay.components import Components
from relaykit.relay.delivering.attached import AttachedFiles
from relaykit.relay.delivering.pause import Pause
from relaykit.relay.directories import private_home
from relaykit.relay.dispatcher import Dispatcher
from relaykit.relay.edge import doorway
from relaykit.relay.events.fanout import Fanout, feed
from relaykit.relay.life import AgentSetting
from relaykit.relay.outgoing import LOCAL, Outgoing
from relaykit.relay.ownership import presence
from relaykit.relay.projecting import ProfileProjector
from relaykit.relay.relay import People, Relay
from relaykit.relay.runfile import run_file
from relaykit.relay.services import Services
from relaykit.relay.supervisor import Supervisor


@asynccontextmanager
async def open_relay(
    config: Config,
    *,
    components: Components | None = None,
    registry: Registry | None = None,
    report: Report | None = None,
) -> AsyncIterator[Relay]:
    """Run a relay for as long as the context is open.

    Entering returns when every agent's lock is held; ``Relay.ready`` waits for an agent's session. Leaving stops
    what still runs, in good order.

    Args:
        config: What it is assembled from.
        components: Ready-made components in place of configured ones, or beside them.
        registry: The plugins; those that are installed, where none is given.
        report: Takes one line for the person who runs the relay; standard error where none is given.

    Raises:
        AlreadyRunError: Another relay runs one of the agents.
        ConfigError: The configuration names what does not exist, or options that do not fit.
        StoreError: The mailbox or the session store cannot be used, or others may write to the home.
    """
    if ":" in config.listen and (components is None or components.edge is None):
        raise ConfigError(f"relay.listen is {config.listen!r}: open the relay with relaykit.server.open, which listens")
    registry = registry or load(disabled=config.plugins.disabled, only=config.plugins.only)
    report = report or _to_stderr
    assembly = Assembly(config, registry, components or Components(), report)
    private_home(config.home)
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(assembly.open())
        services = _services(config, assembly, opened, report, stack)
        edge = await stack.enter_async_context(doorway(assembly.edge, services))
        services = replace(services, doorway=edge)
        outgoing = {name: Outgoing(name, transport, services) for name, transport in opened.transports.items()}
        supervisors = [_supervisor(agent, services, assembly) for agent in config.agents]
        relay = Relay(services, supervisors, _people(opened, outgoing))
        async with (
            presence(config.home, opened.mailbox, services.clock, services.incarnation),
            anyio.create_task_group() as tasks,
        ):
            await _start(tasks, relay, services, opened, outgoing)
            failure = None
            try:
                yield relay
            except Exception as error:  # noqa: BLE001 - it is raised below, as it was and not in a group
                failure = error
            await relay.stop()
            await services.fanout.finish()
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure


def _services(config: Config, assembly: Assembly, opened: Opened, report: Report, stack: AsyncExitStack) -> Services:
    incarnation, clock = new_id(), assembly.clock
    file = run_file(
        config.home,
        incarnation=incarnation,
        agents=[agent.id for agent in config.agents],
        transports=[*opened.transports],
        boot=clock.boot_id(),
        now=clock.now(),
    )
    return Services(
        config=config,
        incarnation=incarnation,
        clock=clock,
        run_file=stack.enter_context(file),
        mailbox=opened.mailbox,
        sessions=opened.sessions,
        fanout=Fanout(opened.sessions),
        dispatcher=Dispatcher(opened.mailbox, assembly.clock),
        report=report,
        attached=partial(AttachedFiles, config.home, opened.transports),
    )


def _supervisor(agent: AgentConfig, services: Services, assembly: Assembly) -> Supervisor:
    record = agent_record(services.config, agent)
    setting = AgentSetting(
        agent=agent,
        record=record,
        request=(request := session_request(services.config, agent)),
        projector=ProfileProjector(assembly.projection(agent, request.profile), assembly),
        open_provider=lambda: assembly.open_provider(agent),
        services=services,
        pause=Pause(services.clock),
    )
    return Supervisor(record, setting)


def _people(opened: Opened, outgoing: Mapping[str, Outgoing]) -> People | None:
    local: object = opened.transports.get(LOCAL)
    return People(local, outgoing[LOCAL]) if isinstance(local, Subscribable) else None


async def _start(
    tasks: TaskGroup, relay: Relay, services: Services, opened: Opened, outgoing: Mapping[str, Outgoing]
) -> None:
    mailbox, clock = services.mailbox, services.clock
    for name, sink in opened.sinks.items():
        await tasks.start(feed, services.fanout, name, sink, _sink_failed(services.report), name=f"sink {name}")
    tasks.start_soon(services.dispatcher.run, name="dispatcher")
    if services.doorway is not None:
        tasks.start_soon(services.doorway.run, name="edge")
    tasks.start_soon(housekeeping.expire, mailbox, clock, name="expiry")
    tasks.start_soon(housekeeping.sweep, mailbox, opened.sessions, clock, services.config.retention, name="retention")
    for name, way in outgoing.items():
        tasks.start_soon(way.run, name=f"outgoing through {name}")
    await tasks.start(relay.run_agents, name="agents")


def _sink_failed(report: Report) -> Callable[[str, Exception], None]:
    return lambda name, error: report(f"sink {name} failed and is closed: {error}")


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"relaykit: {line}\n")
    sys.stderr.flush()
