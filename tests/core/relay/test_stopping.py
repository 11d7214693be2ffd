"""Stopping ends in bounded time, whatever the provider or a store is doing, and loses nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import pytest

from relaykit.errors import StoreBusyError, StoreFullError
from relaykit.model import CommandKind, CommandState, State, StatusKind
from relaykit.relay import Relay
from relaykit.relay.delivering import worker
from relaykit.testing.clock import settle
from relaykit.testing.harness import World
from relaykit.testing.scripted import SECONDS, ScriptedSession

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LAST_SECONDS", 0.05)


async def begun(world: World, relay: Relay) -> tuple[str, ScriptedSession]:
    """Return a message, and the session in which its turn runs."""
    accepted = await relay.send("a", "hello")
    session = await world.provider.opened()
    session.start((await session.submitted()).id)
    await world.until(accepted.message.id, lambda delivery: delivery.state is State.SEEN)
    return accepted.message.id, session


@asynccontextmanager
async def bounded_relay(world: World) -> AsyncIterator[Relay]:
    """Run a relay that is stopped at the end, and the test fails where all that takes too long."""
    with anyio.fail_after(SECONDS):
        async with world.relay() as relay:
            yield relay


@asynccontextmanager
async def time_passing(world: World) -> AsyncIterator[None]:
    """Let time pass for as long as this is open: what sleeps in between tries wakes up."""

    async def pass_on() -> None:
        while True:
            await world.clock.advance(1)
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pass_on)
        yield
        tasks.cancel_scope.cancel()


async def compacting(world: World, relay: Relay) -> tuple[str, ScriptedSession]:
    """Return an order to compact, and the session that does not come to its end."""
    session = await world.provider.opened()
    session.compacting = anyio.Event()
    command = await relay.order("a", CommandKind.COMPACT)
    await world.status("a", StatusKind.BUSY, "command")
    return command.id, session


async def test_a_compaction_that_does_not_end_does_not_hold_up_a_stop(world: World) -> None:
    async with bounded_relay(world) as relay:
        command, session = await compacting(world, relay)
    assert session.compacted == 1
    done = await world.mailbox.command(command)
    assert (done.state, done.result) == (CommandState.FAILED, "the agent was stopped")


async def test_a_compaction_that_does_not_end_does_not_hold_up_a_restart(world: World) -> None:
    async with bounded_relay(world) as relay:
        await compacting(world, relay)
        restart = await relay.order("a", CommandKind.RESTART)
        second = await world.provider.opened(2)
        assert (await world.outcome(restart)).state is CommandState.SUCCEEDED
        accepted = await relay.send("a", "hello")
        second.answer("hi", (await second.submitted()).id)
        await world.ended(accepted.message.id)


async def test_a_full_store_does_not_hold_up_a_stop_and_the_answer_is_settled_by_the_next_relay(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any, **__: Any) -> None:
        raise StoreFullError("no room")

    async with bounded_relay(world) as relay:
        message, session = await begun(world, relay)
        with monkeypatch.context() as patched:
            patched.setattr(world.mailbox, "settle", full)
            session.end(text="the answer")
            await world.status("a", StatusKind.BUSY, "turn")
            await relay.stop()
    assert (await world.mailbox.trace(message)).deliveries[0].state is State.SEEN
    async with bounded_relay(world):
        trace = await world.ended(message)
    assert ([reply.body for reply in trace.replies], trace.deliveries[0].deaths) == (["the answer"], 0)


@pytest.mark.parametrize("operation", ["lease", "settle"])
async def test_what_a_store_took_when_a_stop_cut_off_its_answer_is_neither_lost_nor_done_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    took = getattr(world.mailbox, operation)

    async def take_and_hang(*arguments: Any, **named: Any) -> None:
        await took(*arguments, **named)
        await anyio.sleep_forever()

    async with bounded_relay(world) as relay:
        session = await world.provider.opened()
        await world.status("a", StatusKind.IDLE)
        with monkeypatch.context() as patched:
            patched.setattr(world.mailbox, operation, take_and_hang)
            message = (await relay.send("a", "hello")).message.id
            if operation == "settle":
                session.answer("hi", (await session.submitted()).id)
            state = State.ANSWERED if operation == "settle" else State.LEASED
            await world.until(message, lambda delivery: delivery.state is state)
            await relay.stop()
    async with bounded_relay(world):
        second = await world.provider.opened(2)
        if operation == "lease":
            second.answer("hi", (await second.submitted()).id)
        trace = await world.ended(message)
        await settle()
    assert ([reply.body for reply in trace.replies], trace.deliveries[0].deaths) == (["hi"], 0)
    assert len(session.submissions) + len(second.submissions) == 1


async def test_an_agent_that_cannot_be_claimed_again_can_be_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = anyio.Event()

    async def full(*_: Any, **__: Any) -> None:
        tried.set()
        raise StoreFullError("no room")

    async with bounded_relay(world) as relay:
        session = await world.provider.opened()
        await world.status("a", StatusKind.IDLE)
        monkeypatch.setattr(world.mailbox, "claim", full)
        session.die()
        await world.status("a", StatusKind.ERROR, "restarting")
        async with time_passing(world):
            await tried.wait()
            await relay.stop()
    assert len(world.provider.sessions) == 1


async def test_a_store_that_is_busy_when_an_agent_is_retired_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    retire, troubles = world.mailbox.retire, [StoreBusyError("the store is locked by someone else")]

    async def busy_once(*arguments: Any) -> None:
        if troubles:
            raise troubles.pop()
        await retire(*arguments)

    monkeypatch.setattr(world.mailbox, "retire", busy_once)
    async with bounded_relay(world) as relay:
        await world.provider.opened()
        async with time_passing(world):
            await relay.stop()
    (entry,) = await world.mailbox.agents()
    assert (entry.status.kind, entry.owner, troubles) == (StatusKind.OFFLINE, None, [])


async def test_two_stops_both_return(world: World) -> None:
    async with bounded_relay(world) as relay, anyio.create_task_group() as tasks:
        _, session = await begun(world, relay)

        tasks.start_soon(partial(relay.stop, drain=True))
        await world.status("a", StatusKind.BUSY, "stopping")
        await relay.order("a", CommandKind.STOP)
    assert session.interrupts == 1
