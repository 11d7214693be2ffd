"""Interrupts that meet other orders, and providers that do not heed them."""

from __future__ import annotations

import anyio
import pytest

from relaykit.errors import ProviderError
from relaykit.model import CommandKind, CommandState, Fault, Priority, State, StatusKind, Whose
from relaykit.relay import Relay
from relaykit.relay.delivering import interruption
from relaykit.testing.clock import settle
from relaykit.testing.harness import World
from relaykit.testing.scripted import SECONDS, ScriptedSession

pytestmark = pytest.mark.anyio


async def begun(world: World, relay: Relay) -> tuple[str, ScriptedSession]:
    """Return a message, and the session in which its turn runs."""
    accepted = await relay.send("a", "hello")
    session = await world.provider.opened()
    session.start((await session.submitted()).id)
    await world.until(accepted.message.id, lambda delivery: delivery.state is State.SEEN)
    return accepted.message.id, session


async def test_an_interrupt_does_not_wait_behind_an_order_that_waits_for_the_end_of_the_turn(world: World) -> None:
    async with world.relay() as relay:
        message, session = await begun(world, relay)
        compact = await relay.order("a", CommandKind.COMPACT)
        done = await world.outcome(await relay.order("a", CommandKind.INTERRUPT))
        assert (await world.ended(message)).deliveries[0].state is State.INTERRUPTED
        assert (await world.outcome(compact)).state is CommandState.SUCCEEDED
    assert (done.state, session.interrupts, session.compacted) == (CommandState.SUCCEEDED, 1, 1)


async def test_orders_that_wait_for_the_end_of_the_turn_keep_their_order(world: World) -> None:
    async with world.relay() as relay:
        _, session = await begun(world, relay)
        waits = await relay.order("a", CommandKind.COMPACT)
        behind = await relay.order("a", CommandKind.MODEL, "large")
        await settle()
        assert (await world.mailbox.command(behind.id)).state is CommandState.ACCEPTED
        session.end(text="done")
        assert (await world.outcome(waits)).state is CommandState.SUCCEEDED
        assert (await world.outcome(behind)).state is CommandState.SUCCEEDED


async def test_an_interrupt_that_failed_is_not_taken_for_one_that_was_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = ScriptedSession.interrupt
    failing = [ProviderError(Fault(whose=Whose.AGENT, code="busy", message="not just now"))]

    async def fail_once(self: ScriptedSession) -> None:
        if failing:
            raise failing.pop()
        await told(self)

    monkeypatch.setattr(ScriptedSession, "interrupt", fail_once)
    async with world.relay() as relay:
        message, session = await begun(world, relay)
        first = await world.outcome(await relay.order("a", CommandKind.INTERRUPT))
        second = await world.outcome(await relay.order("a", CommandKind.INTERRUPT))
        assert (await world.ended(message)).deliveries[0].state is State.INTERRUPTED
    assert (first.state, second.state, session.interrupts) == (CommandState.FAILED, CommandState.SUCCEEDED, 1)
    assert "not just now" in first.result


async def test_an_interrupt_that_the_provider_does_not_take_in_time_has_failed_and_may_be_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, asked = ScriptedSession.interrupt, 0

    async def hang_once(self: ScriptedSession) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            await anyio.sleep_forever()
        await told(self)

    monkeypatch.setattr(ScriptedSession, "interrupt", hang_once)
    monkeypatch.setattr(interruption, "INTERRUPT_SECONDS", 0.05)
    async with world.relay() as relay:
        message, _ = await begun(world, relay)
        first = await world.outcome(await relay.order("a", CommandKind.INTERRUPT))
        second = await world.outcome(await relay.order("a", CommandKind.INTERRUPT))
        await world.ended(message)
    assert (first.state, first.result) == (CommandState.FAILED, "the provider did not do it in time")
    assert (second.state, asked) == (CommandState.SUCCEEDED, 2)


async def test_an_order_that_waits_has_one_sleeper_however_often_it_is_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    sleep = world.clock.sleep

    async def noted(seconds: float) -> None:
        slept.append(round(seconds))
        await sleep(seconds)

    monkeypatch.setattr(world.clock, "sleep", noted)
    async with world.relay() as relay:
        _, session = await begun(world, relay)
        command = await relay.order("a", CommandKind.COMPACT)
        for number in range(3):
            session.ask("may I?", key=f"q{number}")
            await world.status("a", StatusKind.BUSY, "permission")
            await settle()
        assert slept.count(60) == 1
        await world.clock.advance(60)
        assert (await world.outcome(command)).state is CommandState.FAILED


async def test_a_provider_that_takes_no_interrupt_is_asked_once_for_each_turn_unless_someone_orders_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, first = [], anyio.Event()

    async def hang(_self: ScriptedSession) -> None:
        asked.append(True)
        first.set()
        await anyio.sleep_forever()

    monkeypatch.setattr(interruption, "INTERRUPT_SECONDS", 0.05)
    monkeypatch.setattr(ScriptedSession, "interrupt", hang)
    async with world.relay() as relay:
        _, session = await begun(world, relay)
        await relay.send("a", "urgent", priority=Priority.NOW)
        with anyio.fail_after(SECONDS):
            await first.wait()
        for _ in range(2):
            await relay.send("a", "more urgent", priority=Priority.NOW)
            ended = await world.outcome(await relay.order("a", CommandKind.INTERRUPT))
            assert ended.state is CommandState.FAILED
        assert len(asked) == 3
        session.end(text="done")
