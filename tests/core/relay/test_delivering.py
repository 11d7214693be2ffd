"""A relay and its deliveries, with a provider that does what the test says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from relaykit.model import BlockEnded, Event, Outcome, Priority, State, StatusKind
from relaykit.relay import life
from relaykit.testing.harness import World
from relaykit.testing.scripted import SECONDS

pytestmark = pytest.mark.anyio


@pytest.mark.parity("N-1")
async def test_a_message_is_handed_over_answered_and_its_steps_are_kept(world: World) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        submission = await session.submitted()
        assert submission.text == "hello"
        session.answer("hi there", submission.id)
        trace = await world.ended(accepted.message.id)
    delivery = trace.deliveries[0]
    assert [step.state for step in delivery.steps] == [
        State.QUEUED,
        State.LEASED,
        State.DELIVERED,
        State.SEEN,
        State.ANSWERED,
    ]
    assert [reply.body for reply in trace.replies] == ["hi there"]
    assert trace.replies[0].to == "user"


@pytest.mark.parity("AR-5")
async def test_messages_are_handed_over_one_by_one_in_their_order(world: World) -> None:
    async with world.relay() as relay:
        for text in ("one", "two", "three"):
            await relay.send("a", text)
        session = await world.provider.opened()
        for count, text in enumerate(("one", "two", "three"), start=1):
            submission = await session.submitted(count)
            assert submission.text == text
            assert len(session.submissions) == count
            session.answer("ok", submission.id)


@pytest.mark.parity("N-3")
async def test_a_next_of_the_same_thread_joins_the_running_turn_and_one_reply_names_both(world: World) -> None:
    async with world.relay() as relay:
        first = await relay.send("a", "begin", thread="t")
        session = await world.provider.opened()
        begun = await session.submitted(1)
        session.start(begun.id)
        await world.until(first.message.id, lambda delivery: delivery.state is State.SEEN)
        second = await relay.send("a", "and this", thread="t", priority=Priority.NEXT)
        joined = await session.submitted(2)
        assert joined.mode.value == "join"
        session.join(joined.id)
        session.say("both done")
        session.end(text="both done")
        trace = await world.ended(second.message.id)
        assert (await world.ended(first.message.id)).replies == trace.replies
    assert trace.replies[0].in_reply_to == (first.message.id, second.message.id)


@pytest.mark.parity("N-3")
async def test_a_next_of_another_thread_waits_for_a_turn_of_its_own_before_every_later(world: World) -> None:
    async with world.relay() as relay:
        await relay.send("a", "begin", thread="t")
        session = await world.provider.opened()
        begun = await session.submitted(1)
        session.start(begun.id)
        await relay.send("a", "later", thread="t")
        await relay.send("a", "next", thread="other", priority=Priority.NEXT)
        session.end(text="done")
        assert (await session.submitted(2)).text == "next"


@pytest.mark.parity("N-3")
async def test_now_interrupts_once_and_the_interrupted_delivery_ends_with_its_partial_text(world: World) -> None:
    async with world.relay() as relay:
        first = await relay.send("a", "long work")
        session = await world.provider.opened()
        begun = await session.submitted(1)
        session.start(begun.id)
        session.write("half of the ans")
        await world.until(first.message.id, lambda delivery: delivery.state is State.SEEN)
        await relay.send("a", "stop everything", priority=Priority.NOW)
        urgent = await session.submitted(2)
        assert (urgent.text, session.interrupts) == ("stop everything", 1)
        session.answer("yes", urgent.id)
        trace = await world.ended(first.message.id)
        notices = await world.inbox()
    assert trace.deliveries[0].state is State.INTERRUPTED
    assert any("half of the ans" in notice.body for notice in notices)
    assert session.interrupts == 1


async def test_a_turn_that_nobody_asked_for_answers_nobody(world: World) -> None:
    async with world.relay():
        session = await world.provider.opened()
        session.answer("I did something by myself")
        await world.status("a", StatusKind.IDLE)
        assert await world.inbox() == []


async def test_a_failed_turn_fails_the_delivery_and_sends_one_notice(world: World) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        submission = await session.submitted()
        session.start(submission.id)
        session.end(Outcome.FAILED)
        trace = await world.ended(accepted.message.id)
        notices = await world.inbox()
    assert trace.deliveries[0].state is State.FAILED
    assert [notice.kind.value for notice in notices] == ["notice"]


async def test_a_text_that_may_be_the_turns_last_is_stored_before_the_turn_ends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "_GATHER_SECONDS", 3600.0)
    stored, append = anyio.Event(), world.sessions.append

    async def noticed(events: Sequence[Event], *more: Any) -> Sequence[int]:
        cursors = await append(events, *more)
        if any(isinstance(event.what, BlockEnded) and event.what.block.text == "done" for event in events):
            stored.set()
        return cursors

    monkeypatch.setattr(world.sessions, "append", noticed)
    async with world.relay() as relay:
        await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        session.say("done")
        with anyio.fail_after(SECONDS):
            await stored.wait()
        session.end(text="done")
