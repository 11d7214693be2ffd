"""A store that takes nothing for a while: the agent says so, leases nothing, loses nothing, and goes on by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from relaykit.errors import StoreBusyError
from relaykit.model import Event, State, StatusKind
from relaykit.testing.harness import World
from relaykit.testing.scripted import ScriptedSession

pytestmark = pytest.mark.anyio


class Refusing:
    """A store that refuses some of its operations while it is told to, and is the store behind it otherwise."""

    def __init__(self, store: Any, *operations: str) -> None:
        self._store = store
        self._operations = operations
        self.full = False

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._store, name)
        if name not in self._operations:
            return operation

        async def refuse(*arguments: Any, **named: Any) -> Any:
            if self.full:
                raise StoreBusyError("the store is locked by someone else")
            return await operation(*arguments, **named)

        return refuse


async def begun(world: World, relay: Any) -> tuple[str, ScriptedSession]:
    accepted = await relay.send("a", "hello")
    session = await world.provider.opened()
    session.start((await session.submitted()).id)
    await world.until(accepted.message.id, lambda delivery: delivery.state is State.SEEN)
    return accepted.message.id, session


async def test_a_session_store_that_fails_is_a_status_and_the_answer_waits_for_its_events(world: World) -> None:
    store = Refusing(world.sessions, "append")
    world.sessions = store  # type: ignore[assignment]
    async with world.relay() as relay:
        message, session = await begun(world, relay)
        store.full = True
        session.say("the answer")
        session.end(text="the answer")
        await world.status("a", StatusKind.ERROR, "store")
        after = await relay.send("a", "next")
        assert (await relay.trace(message)).deliveries[0].state is State.SEEN
        store.full = False
        await world.clock.advance(10)
        assert (await world.ended(message)).deliveries[0].state is State.ANSWERED
        session.answer("too", (await session.submitted(2)).id)
        await world.ended(after.message.id)
    told: Sequence[Event] = await world.sessions.events(agent="a")
    assert [event.number for event in told] == list(range(1, len(told) + 1))


async def test_a_mailbox_that_cannot_settle_is_tried_again_until_it_can(world: World) -> None:
    mailbox = Refusing(world.mailbox, "settle")
    world.mailbox = mailbox  # type: ignore[assignment]
    async with world.relay() as relay:
        message, session = await begun(world, relay)
        mailbox.full = True
        session.end(text="the answer")
        for _ in range(5):
            await world.clock.advance(10)
        assert (await relay.trace(message)).deliveries[0].state is State.SEEN
        mailbox.full = False
        await world.clock.advance(10)
        assert (await world.ended(message)).deliveries[0].state is State.ANSWERED
