"""A whole relay in one process: in-memory stores without threads, time that the test makes, a scripted provider.

Everything of the relay is real but those three, and the agents' locks are real files below ``home``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio

import relaykit.relay
from relaykit.builtin.routing import AddressRouter
from relaykit.config.records import AgentConfig, Config
from relaykit.errors import CredentialError
from relaykit.model import Command, Delivery, DirectoryEntry, Message, Secret, StatusKind, Trace
from relaykit.plugin import Mailbox, SessionStore, Transport
from relaykit.registry import Registry
from relaykit.relay import Components, Relay
from relaykit.relay.edge import Edge
from relaykit.testing.clock import VirtualClock
from relaykit.testing.memory import open_memory_mailbox
from relaykit.testing.memory_sessions import memory_sessions
from relaykit.testing.scripted import SECONDS, ScriptedProvider


@dataclass
class World:
    """What outlives a relay: the stores, the time, and what the provider remembers."""

    home: Path
    mailbox: Mailbox
    sessions: SessionStore
    clock: VirtualClock
    provider: ScriptedProvider = field(default_factory=ScriptedProvider)
    reports: list[str] = field(default_factory=list)
    """What relays said to the person who runs them."""

    def agent(self, id: str = "a", **changes: object) -> AgentConfig:
        """Return the configuration of an agent of the scripted provider."""
        return AgentConfig(**{"id": id, "provider": "scripted", "cwd": self.home, **changes})  # type: ignore[arg-type]

    @asynccontextmanager
    async def relay(
        self,
        *agents: AgentConfig,
        transports: Mapping[str, Transport] | None = None,
        edge: Edge | None = None,
        **changes: object,
    ) -> AsyncIterator[Relay]:
        """Run a relay with these agents, or one called ``a``."""
        config = Config(home=self.home, agents=agents or (self.agent(),), **_BARE | changes)  # type: ignore[arg-type]
        components = Components(
            clock=self.clock,
            mailbox=self.mailbox,
            sessions=self.sessions,
            credentials=NoCredentials(),
            providers={"scripted": self.provider.component()},
            transports=transports or {},
            edge=edge,
        )
        async with relaykit.relay.open(
            config, components=components, registry=Registry(), report=self.reports.append
        ) as relay:
            yield relay

    @asynccontextmanager
    async def doomed_relay(self, *agents: AgentConfig, **changes: object) -> AsyncIterator[Relay]:
        """Run a relay that is gone at the end without having stopped: nothing is waited for, nothing handed back."""
        with anyio.CancelScope() as doom:
            async with self.relay(*agents, **changes) as relay:  # type: ignore[arg-type]
                yield relay
                doom.cancel()
                await anyio.sleep_forever()

    async def until(self, message: str, holds: Callable[[Delivery], bool]) -> Trace:
        """Return a message's trace once that holds for all its deliveries."""
        with anyio.fail_after(SECONDS):
            async with self.mailbox.watch() as watch:
                while True:
                    trace = await self.mailbox.trace(message)
                    if all(holds(delivery) for delivery in trace.deliveries):
                        return trace
                    await watch.wait()

    async def ended(self, message: str) -> Trace:
        """Return a message's trace once all its deliveries have ended."""
        return await self.until(message, lambda delivery: delivery.state.ended)

    async def status(self, agent: str, kind: StatusKind, reason: str | None = None) -> DirectoryEntry:
        """Return an agent's entry once it has that status."""
        with anyio.fail_after(SECONDS):
            async with self.mailbox.watch() as watch:
                while True:
                    entries = await self.mailbox.agents()
                    for entry in entries:
                        if (
                            entry.agent.id == agent
                            and entry.status.kind is kind
                            and reason in (None, entry.status.reason)
                        ):
                            return entry
                    await watch.wait()

    async def outcome(self, command: Command) -> Command:
        """Return a command once it has ended."""
        with anyio.fail_after(SECONDS):
            async with self.mailbox.watch() as watch:
                while not (found := await self.mailbox.command(command.id)).state.ended:
                    await watch.wait()
                return found

    async def inbox(self, person: str = "user") -> list[Message]:
        """Return what waits for a person now."""
        return [item.message for item in await self.mailbox.inbox(person)]

    async def received(self, count: int, person: str = "user") -> list[Message]:
        """Return what waits for a person, once it is that many."""
        with anyio.fail_after(SECONDS):
            async with self.mailbox.watch() as watch:
                while len(found := await self.inbox(person)) < count:
                    await watch.wait()
                return found


class NoCredentials:
    """A credential store without a secret."""

    async def get(self, name: str) -> Secret:
        """Refuse."""
        raise CredentialError(f"there is no credential {name!r}: this store keeps none")

    async def names(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()


_BARE: dict[str, object] = {"transports": (), "routers": (), "drain_seconds": 0.05}
"""A relay that is left while a turn runs does not keep its test waiting."""


@asynccontextmanager
async def open_world(home: Path) -> AsyncIterator[World]:
    """Make an empty world below a directory."""
    clock = VirtualClock()
    async with open_memory_mailbox(clock, routers=(AddressRouter(),)) as mailbox:
        with memory_sessions() as sessions:
            yield World(home=home, mailbox=mailbox, sessions=sessions, clock=clock)
