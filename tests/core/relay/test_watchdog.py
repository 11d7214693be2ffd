"""Turns that go silent."""

from __future__ import annotations

import anyio
import pytest

from relaykit.model import Capabilities, Mode, PermissionAsked, Question, State, StatusKind
from relaykit.testing.harness import World
from relaykit.testing.scripted import ScriptedSession

pytestmark = pytest.mark.anyio


@pytest.mark.parity("N-11")
async def test_a_turn_whose_end_was_never_told_is_found_and_settled_from_history(world: World) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        await world.until(accepted.message.id, lambda delivery: delivery.state is State.SEEN)
        session.forget_end("finished in silence")
        await world.clock.advance(301)
        trace = await world.ended(accepted.message.id)
    assert [reply.body for reply in trace.replies] == ["finished in silence"]


@pytest.mark.parity("N-11")
async def test_a_turn_that_is_silent_and_still_runs_is_reported_and_left_alone(world: World) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        await world.until(accepted.message.id, lambda delivery: delivery.state is State.SEEN)
        await world.clock.advance(301)
        await world.status("a", StatusKind.BUSY, "silent")
        session.say("there I am")
        session.end(text="there I am")
        assert (await world.ended(accepted.message.id)).deliveries[0].state is State.ANSWERED
    assert session.interrupts == 0


async def test_a_text_that_was_taken_and_that_the_provider_knows_nothing_of_is_handed_over_again(world: World) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        await session.submitted()
        await world.until(accepted.message.id, lambda delivery: delivery.state is State.DELIVERED)
        await world.clock.advance(302)
        await world.status("a", StatusKind.ERROR, "restarting")
        await world.clock.advance(1)
        second = await world.provider.opened(2)
        submission = await second.submitted()
        assert submission.text == "hello"
        second.answer("hi", submission.id)
        await world.ended(accepted.message.id)


async def test_silence_counts_from_the_hand_over_however_long_the_agent_was_idle(world: World) -> None:
    async with world.relay() as relay:
        session = await world.provider.opened()
        await world.status("a", StatusKind.IDLE)
        await world.clock.advance(1000)
        await world.clock.advance(29.9)  # the watchdog looks again in a moment
        accepted = await relay.send("a", "hello")
        submission = await session.submitted()
        await world.until(accepted.message.id, lambda delivery: delivery.state is State.DELIVERED)
        await world.clock.advance(299)
        session.answer("hi", submission.id)
        trace = await world.ended(accepted.message.id)
    assert [reply.body for reply in trace.replies] == ["hi"]
    assert (len(world.provider.sessions), trace.deliveries[0].deaths, world.reports) == (1, 0, [])


async def test_a_text_that_the_provider_is_still_taking_is_not_missed_yet(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking, taken = anyio.Event(), ScriptedSession.submit

    async def slowly(self: ScriptedSession, text: str, submission: str, mode: Mode) -> None:
        await taking.wait()
        await taken(self, text, submission, mode)

    monkeypatch.setattr(ScriptedSession, "submit", slowly)
    async with world.relay() as relay:
        session = await world.provider.opened()
        await world.clock.advance(1000)
        accepted = await relay.send("a", "hello")
        await world.until(accepted.message.id, lambda delivery: delivery.state is State.LEASED)
        await world.clock.advance(50)
        taking.set()
        session.answer("hi", (await session.submitted()).id)
        await world.ended(accepted.message.id)
    assert (len(world.provider.sessions), world.reports) == (1, [])


async def test_without_a_history_a_silent_turn_is_reported_and_left_alone(world: World) -> None:
    world.provider.capabilities = Capabilities()
    async with world.relay() as relay:
        await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        await world.status("a", StatusKind.BUSY, "turn")
        await world.clock.advance(301)
        await world.status("a", StatusKind.BUSY, "silent")
    assert len(world.provider.sessions) == 1


async def test_the_watchdog_rests_while_a_question_is_open(world: World) -> None:
    async with world.relay() as relay:
        await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        session.ask("may I?")
        await world.status("a", StatusKind.BUSY, "permission")
        await world.clock.advance(1000)
        await world.status("a", StatusKind.BUSY, "permission")


async def test_a_question_that_an_earlier_turn_left_open_hides_no_silence(world: World) -> None:
    async with world.relay() as relay:
        earlier = (await relay.send("a", "Begin.")).message.id
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        session.tell(PermissionAsked(question=Question(key="left", action="command", title="ls", turn=None)))
        session.end(text="it goes on in the background")
        await world.ended(earlier)
        message = (await relay.send("a", "Look.")).message.id
        session.start((await session.submitted(2)).id)
        await world.until(message, lambda delivery: delivery.state is State.SEEN)
        session.forget_end("found")
        await world.clock.advance(301)
        assert (await world.ended(message)).deliveries[0].state is State.ANSWERED
