"""What somebody wished of a delivery stands, whatever comes between the wish and the end."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from relaykit.model import CommandKind, Fault, Outcome, Priority, State, StatusKind, Whose
from relaykit.relay import Relay
from relaykit.relay.delivering import wishes
from relaykit.testing.harness import World
from relaykit.testing.scripted import ScriptedSession

pytestmark = pytest.mark.anyio
QUOTA = Fault(whose=Whose.AGENT, code="quota", message="out of quota", retry_after=120)


async def cut_off_by_quota(world: World, relay: Relay) -> tuple[str, str, ScriptedSession]:
    """Have a turn with two messages end for want of quota: both wait to be gone on with."""
    first = (await relay.send("a", "first", thread="t")).message.id
    session = await world.provider.opened()
    session.start((await session.submitted()).id)
    await world.until(first, lambda delivery: delivery.state is State.SEEN)
    second = (await relay.send("a", "second", thread="t", priority=Priority.NEXT)).message.id
    session.join((await session.submitted(2)).id)
    session.use_tool("sh")
    session.end(Outcome.FAILED, fault=QUOTA)
    await world.status("a", StatusKind.ERROR, "paused")
    return first, second, session


async def test_what_is_cancelled_while_its_agent_rests_ends_at_once_and_is_not_gone_on_with(world: World) -> None:
    async with world.relay() as relay:
        first, second, session = await cut_off_by_quota(world, relay)
        for message in (first, second):
            await world.mailbox.cancel(message, interrupt=True)
            assert (await world.ended(message)).deliveries[0].state is State.CANCELLED
        after = await relay.send("a", "after")
        await world.clock.advance(121)
        assert (await session.submitted(3)).text == "after"
        session.answer("done", session.submissions[2].id)
        await world.ended(after.message.id)
    assert [message.body for message in await world.inbox()] == ["done"]


async def test_the_others_of_its_turn_are_gone_on_with_alone(world: World) -> None:
    async with world.relay() as relay:
        first, second, session = await cut_off_by_quota(world, relay)
        await world.mailbox.cancel(first, interrupt=True)
        await world.ended(first)
        await world.clock.advance(121)
        again = await session.submitted(3)
        assert second in again.text
        assert first not in again.text
        session.answer("done", again.id)
        trace = await world.ended(second)
    assert trace.replies[0].in_reply_to == (second,)


async def test_what_is_cancelled_before_the_agent_is_told_is_not_gone_on_with_and_the_next_is_served(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.relay() as relay:
        first, second, session = await cut_off_by_quota(world, relay)
        after = (await relay.send("a", "after")).message.id
        real = world.mailbox.relet

        async def cancelled_just_before(*which: object, **how: object) -> object:
            for message in (first, second):
                await world.mailbox.cancel(message, interrupt=True)
            return await real(*which, **how)

        monkeypatch.setattr(world.mailbox, "relet", cancelled_just_before)
        await world.clock.advance(121)
        assert (await session.submitted(3)).text == "after"
        session.answer("done", session.submissions[2].id)
        for message, state in ((first, State.CANCELLED), (second, State.CANCELLED), (after, State.ANSWERED)):
            assert (await world.ended(message)).deliveries[0].state is state
    assert [message.body for message in await world.inbox()] == ["done"]


async def test_a_turn_that_was_interrupted_and_whose_relay_was_then_stopped_ends_interrupted(world: World) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        session.use_tool("sh")
        session.obedient = False
        await world.until(accepted.message.id, lambda delivery: delivery.state is State.SEEN)
        await world.outcome(await relay.order("a", CommandKind.INTERRUPT))
        await relay.stop()
    turns = world.provider.turns[session.id]
    world.provider.turns[session.id] = [replace(turn, outcome=Outcome.INTERRUPTED) for turn in turns]
    async with world.relay():
        trace = await world.ended(accepted.message.id)
    assert trace.deliveries[0].state is State.INTERRUPTED
    assert [step.note for step in trace.deliveries[0].steps].count("to be ended: interrupt") == 1


async def test_a_stop_is_recorded_once_however_often_the_agent_looks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        await world.until(accepted.message.id, lambda delivery: delivery.state is State.SEEN)

        async def more_comes() -> None:
            for number in range(3):
                await relay.send("a", f"more {number}")

        monkeypatch.setattr(session, "interrupt", more_comes)
        await relay.stop()
        trace = await world.mailbox.trace(accepted.message.id)
    assert [step.note for step in trace.deliveries[0].steps].count("to be ended: stop") == 1


async def test_what_was_taken_back_from_the_provider_ends_however_long_the_store_takes_to_keep_that(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wishes, "_SECONDS", 0.0)  # the session answers at once, the store does not
    async with world.relay() as relay:
        message = (await relay.send("a", "hello")).message.id
        session = await world.provider.opened()
        submission = (await session.submitted()).id
        await world.until(message, lambda delivery: delivery.state is State.DELIVERED)
        await world.mailbox.cancel(message)
        assert (await world.ended(message)).deliveries[0].state is State.CANCELLED
    assert session.withdrawn == [submission]
