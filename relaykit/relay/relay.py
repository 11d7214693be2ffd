"""The relay: agents that run, a mailbox that they are served from, and what an application can ask of both."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial

import anyio
from anyio.abc import ObjectReceiveStream, TaskStatus
from msgspec import Struct

from relaykit.errors import NotFoundError, WaitTimeoutError
from relaykit.model import (
    USER,
    Accepted,
    Command,
    CommandKind,
    Decision,
    DirectoryEntry,
    Draft,
    Message,
    PastSession,
    PermissionRequest,
    Priority,
    Reply,
    Trace,
    new_id,
)
from relaykit.plugin.transport import Subscribable
from relaykit.relay.events.fanout import Subscription
from relaykit.relay.faultpoints import reached
from relaykit.relay.life import Ready
from relaykit.relay.outgoing import Outgoing
from relaykit.relay.services import Services
from relaykit.relay.supervisor import Supervisor
from relaykit.relay.watching import concerned


class People(Struct, frozen=True):
    """The way to people who read their messages in this process."""

    transport: Subscribable
    outgoing: Outgoing


class Relay:
    """A running relay. ``open_relay`` makes one; it ends with that context."""

    def __init__(self, services: Services, supervisors: Sequence[Supervisor], people: People | None) -> None:
        self._services = services
        self._people = people
        self._supervisors = {supervisor.id: supervisor for supervisor in supervisors}
        self._ended = anyio.Event()

    async def send(
        self,
        to: str,
        body: str,
        *,
        sender: str = USER,
        thread: str | None = None,
        priority: Priority | None = None,
        id: str | None = None,
    ) -> Accepted:
        """Put a message in; it is stored when this returns.

        Args:
            to: An address.
            body: What is said.
            sender: Who says it: a person's name.
            thread: The conversation that it belongs to; its own where none is given.
            priority: How it meets a running turn; None takes the recipient's default.
            id: The caller's own id: sending again under it is the first send.

        Raises:
            RefusedError: It was not accepted, and why.
            StoreError: It could not be stored; nothing of it was kept.
        """
        draft = Draft(id=id or new_id(), sender=sender, to=to, body=body, thread=thread, priority=priority)
        accepted = await self._services.mailbox.put(draft, synced=self._services.config.synced)
        reached("put")
        return accepted

    async def wait(self, message: str, seconds: float = 600.0) -> Sequence[Message]:
        """Return what was said in answer, once every delivery of the message has ended.

        Raises:
            WaitTimeoutError: It did not end in that many seconds; the message goes on.
        """
        with anyio.move_on_after(seconds):
            async with self._services.mailbox.watch() as watch:
                while True:
                    trace = await self._services.mailbox.trace(message)
                    if all(delivery.state.ended for delivery in trace.deliveries):
                        return trace.replies
                    await concerned(watch, trace.message.sender)
        raise WaitTimeoutError(f"message {message} has not ended after {seconds:g} s; it goes on")

    def subscribe(
        self, *, agent: str | None = None, after: int | None = None
    ) -> AbstractAsyncContextManager[Subscription]:
        """Watch what sessions do: an async iterator of events, with a gap in place of what was too quick.

        Args:
            agent: One agent's events; None is everyone's.
            after: The cursor to go on from; None begins now.
        """
        return self._services.fanout.subscribe(agent=agent, after=after)

    @contextmanager
    def inbox(self, person: str = USER) -> Iterator[ObjectReceiveStream[Message]]:
        """Read a person's messages in this process, those that wait and those that come; each is acknowledged by it.

        Raises:
            NotFoundError: The relay has no transport ``local``.
        """
        if self._people is None:
            raise NotFoundError("this relay has no transport 'local', by which people's messages are read")
        with self._people.transport.subscribe(person) as messages:
            self._people.outgoing.look()
            yield messages

    async def trace(self, message: str) -> Trace:
        """Return all that is known of a message."""
        return await self._services.mailbox.trace(message)

    async def agents(self) -> Sequence[DirectoryEntry]:
        """Return the directory: every agent that this mailbox knows."""
        return await self._services.mailbox.agents()

    @property
    def runs(self) -> Collection[str]:
        """The ids of the agents that this relay runs."""
        return self._supervisors.keys()

    async def order(self, agent: str, kind: CommandKind, text: str = "") -> Command:
        """Give an order to an agent's life; ``command`` of the mailbox says what came of it."""
        return await self._services.mailbox.order(agent, kind, text=text, sender=USER)

    async def permissions(self) -> Sequence[PermissionRequest]:
        """Return the open permission requests."""
        return await self._services.mailbox.permissions()

    async def decide(
        self, request: str, decision: Decision, reason: str = "", reply: Reply | None = None
    ) -> PermissionRequest:
        """Decide a permission request; the first decision wins."""
        return await self._services.mailbox.decide(request, decision, by=USER, reason=reason, reply=reply)

    async def past_sessions(self, agent: str, *, limit: int = 50) -> Sequence[PastSession]:
        """Return the conversations that an agent's provider remembers, the latest first, those begun elsewhere too.

        Raises:
            NotFoundError: This relay does not run the agent, it is not ready, or its provider cannot tell.
        """
        return await self._supervisor(agent).past_sessions(limit)

    async def ready(self, agent: str) -> Ready:
        """Return how an agent is up, once it is.

        Raises:
            NotFoundError: This relay does not run it.
            ProviderError: It could not be started: the relay goes on trying, or has given it up.
        """
        return await self._supervisor(agent).first_ready()

    async def stop(self, *, drain: bool = False) -> None:
        """Stop all agents in good order; those that are detached go on without the relay, turns and all.

        Args:
            drain: Wait for running turns for ever, not just for the configured time before they are interrupted.
        """
        seconds = None if drain else self._services.config.drain_seconds
        reached("stopping")
        async with anyio.create_task_group() as tasks:
            for supervisor in self._supervisors.values():
                tasks.start_soon(partial(supervisor.stop, seconds, leave=True), name=f"{supervisor.id}: stop")
        await self.ended()

    def kill(self) -> None:
        """End all agents at once; those that are detached go on without the relay."""
        for supervisor in self._supervisors.values():
            supervisor.kill(leave=True)

    async def ended(self) -> None:
        """Return when no agent of the relay runs any more."""
        await self._ended.wait()

    async def run_agents(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Run the agents until all of them have stopped; started once every lock is held."""
        async with anyio.create_task_group() as tasks:
            for supervisor in self._supervisors.values():
                await tasks.start(supervisor.run, name=f"{supervisor.id}: supervisor")
            task_status.started()
        self._ended.set()

    def _supervisor(self, agent: str) -> Supervisor:
        try:
            return self._supervisors[agent]
        except KeyError:
            known = ", ".join(sorted(self._supervisors)) or "none"
            raise NotFoundError(f"this relay does not run {agent!r}; it runs {known}") from None
