"""What becomes of deliveries when a relay, or a provider's process, dies."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from relaykit.model import Capabilities, CommandKind, Fault, Outcome, Priority, State, StatusKind, Whose
from relaykit.testing.harness import World
from relaykit.testing.scripted import ScriptedSession

pytestmark = pytest.mark.anyio


def notes(trace: object) -> str:
    return " | ".join(step.note for step in trace.deliveries[0].steps)


async def begin(world: World, relay: object, *, start: bool = True) -> tuple[str, ScriptedSession]:
    """Have a message handed over, and its turn begun."""
    accepted = await relay.send("a", "hello")
    session = await world.provider.opened(len(world.provider.sessions) or 1)
    submission = await session.submitted()
    if start:
        session.start(submission.id)
        await world.until(accepted.message.id, lambda delivery: delivery.state is State.SEEN)
    else:
        await world.until(accepted.message.id, lambda delivery: delivery.state is State.DELIVERED)
    return accepted.message.id, session


@pytest.mark.parity("N-2")
async def test_what_the_providers_history_does_not_have_is_handed_over_again_under_a_new_id(world: World) -> None:
    async with world.doomed_relay() as relay:
        message, first = await begin(world, relay, start=False)
    async with world.relay():
        second = await world.provider.opened(2)
        again = await second.submitted()
        assert again.text == "hello"
        assert again.id != first.submissions[0].id
        second.answer("hi", again.id)
        trace = await world.ended(message)
    assert (trace.deliveries[0].state, trace.deliveries[0].attempt) == (State.ANSWERED, 2)
    assert second.id == first.id, "the session is gone on with"


@pytest.mark.parity("N-2")
async def test_a_turn_that_finished_while_no_relay_ran_is_settled_from_history(world: World) -> None:
    async with world.doomed_relay() as relay:
        message, session = await begin(world, relay)
        session.forget_end("finished alone")
    async with world.relay():
        trace = await world.ended(message)
    assert [reply.body for reply in trace.replies] == ["finished alone"]
    assert world.provider.sessions[1].submissions == []


async def test_a_message_that_the_session_may_not_know_any_more_is_quoted_and_never_begun_anew(world: World) -> None:
    async with world.doomed_relay() as relay:
        message, session = await begin(world, relay)
        (past,) = world.provider.turns[session.id]
        world.provider.turns[session.id] = [replace(past, told=False, worked=True)]
    async with world.relay():
        submission = await (await world.provider.opened(2)).submitted()
        assert message in submission.text
        assert submission.text.endswith("\n\n> hello")


@pytest.mark.parametrize("quota", [True, False])
async def test_a_message_is_quoted_where_another_session_had_it(world: World, quota: bool) -> None:
    async with world.doomed_relay() as relay:
        message, session = await begin(world, relay)
        if quota:
            session.use_tool("sh")
            session.end(Outcome.FAILED, fault=Fault(whose=Whose.AGENT, code="quota", message="out of quota"))
            await world.status("a", StatusKind.ERROR, "paused")
    world.provider.refusals.append(Fault(whose=Whose.AGENT, code="session_not_found", message="no such session"))
    async with world.relay():
        another = await world.provider.opened(2)
        submission = await another.submitted()
    assert another.id != session.id
    assert message in submission.text
    assert submission.text.endswith("\n\n> hello")


@pytest.mark.parity("N-2")
async def test_a_turn_that_was_cut_off_is_gone_on_with_and_never_begun_anew(world: World) -> None:
    async with world.doomed_relay() as relay:
        message, _ = await begin(world, relay)
    async with world.relay():
        session = await world.provider.opened(2)
        submission = await session.submitted()
        assert message in submission.text
        assert "hello" not in submission.text
        session.answer("finished", submission.id)
        trace = await world.ended(message)
    assert [reply.body for reply in trace.replies] == ["finished"]
    assert "cut off" in notes(trace)


@pytest.mark.parity("N-2")
async def test_a_message_that_two_processes_died_holding_is_dead_and_the_next_one_is_served(world: World) -> None:
    async with world.doomed_relay() as relay:
        message, _ = await begin(world, relay)
        after = await relay.send("a", "harmless")
    async with world.doomed_relay():
        session = await world.provider.opened(2)
        submission = await session.submitted()
        session.start(submission.id)
        await world.until(message, lambda delivery: delivery.state is State.SEEN)
    async with world.relay():
        trace = await world.ended(message)
        session = await world.provider.opened(3)
        submission = await session.submitted()
        session.answer("fine", submission.id)
        assert (await world.ended(after.message.id)).deliveries[0].state is State.ANSWERED
    assert trace.deliveries[0].state is State.DEAD


async def test_a_relay_that_was_rebooted_counts_no_death(world: World) -> None:
    async with world.doomed_relay() as relay:
        message, _ = await begin(world, relay)
    world.clock.reboot()
    async with world.relay():
        session = await world.provider.opened(2)
        await session.submitted()
        trace = await world.mailbox.trace(message)
    assert trace.deliveries[0].deaths == 0


@pytest.mark.parity("N-1")
async def test_without_a_history_a_delivery_that_was_handed_over_ends_unknown(world: World) -> None:
    world.provider.capabilities = Capabilities()
    async with world.doomed_relay() as relay:
        message, _ = await begin(world, relay)
    async with world.relay():
        trace = await world.ended(message)
    assert trace.deliveries[0].state is State.UNKNOWN


async def test_without_a_history_it_is_handed_over_again_where_the_agent_is_configured_so(world: World) -> None:
    world.provider.capabilities = Capabilities()
    agent = world.agent(on_interrupted="redeliver")
    async with world.doomed_relay(agent) as relay:
        message, _ = await begin(world, relay)
    async with world.relay(agent):
        session = await world.provider.opened(2)
        session.answer("hi", (await session.submitted()).id)
        assert (await world.ended(message)).deliveries[0].state is State.ANSWERED


@pytest.mark.parity("AR-10", "N-2")
async def test_a_provider_that_dies_is_started_again_and_its_turn_gone_on_with(world: World) -> None:
    async with world.relay() as relay:
        message, session = await begin(world, relay)
        session.die()
        await world.status("a", StatusKind.ERROR, "restarting")
        await world.clock.advance(0.5)
        second = await world.provider.opened(2)
        submission = await second.submitted()
        assert message in submission.text
        second.answer("finished", submission.id)
        assert (await world.ended(message)).deliveries[0].deaths == 1


@pytest.mark.parity("AR-10")
async def test_an_agent_whose_session_ends_rapidly_again_and_again_is_given_up_until_someone_restarts_it(
    world: World,
) -> None:
    async with world.relay() as relay:
        for count in range(1, 5):
            session = await world.provider.opened(count)
            await world.status("a", StatusKind.IDLE)
            session.die()
            await world.status("a", StatusKind.ERROR)
            await world.clock.advance(2)
        await world.status("a", StatusKind.ERROR, "gave_up")
        assert len(world.provider.sessions) == 4
        accepted = await relay.send("a", "still here?")
        await relay.order("a", CommandKind.RESTART)
        session = await world.provider.opened(5)
        session.answer("yes", (await session.submitted()).id)
        assert (await world.ended(accepted.message.id)).deliveries[0].state is State.ANSWERED


@pytest.mark.parity("N-6")
async def test_a_stop_in_good_order_waits_interrupts_and_the_next_start_goes_on_uncounted(world: World) -> None:
    async with world.relay() as relay:
        message, session = await begin(world, relay)
        await relay.stop()
        assert session.interrupts == 1
    async with world.relay():
        session = await world.provider.opened(2)
        submission = await session.submitted()
        assert message in submission.text
        session.answer("finished", submission.id)
        trace = await world.ended(message)
    assert (trace.deliveries[0].state, trace.deliveries[0].deaths) == (State.ANSWERED, 0)


async def test_a_stop_lets_a_turn_finish_that_is_quick_enough(world: World) -> None:
    async with world.relay(drain_seconds=10.0) as relay:
        message, session = await begin(world, relay)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(relay.stop, name="stop")
            await world.status("a", StatusKind.BUSY, "stopping")
            session.say("in time")
            session.end(text="in time")
        trace = await world.ended(message)
    assert trace.deliveries[0].state is State.ANSWERED
    assert session.interrupts == 0


async def test_an_interrupted_turn_with_a_recorded_wish_ends_as_the_wish_says_after_a_crash(world: World) -> None:
    async with world.doomed_relay() as relay:
        message, session = await begin(world, relay)
        session.obedient = False
        await relay.order("a", CommandKind.INTERRUPT)
        await session.interrupted()
        session.provider.turns[session.id] = [
            turn.__class__(id=turn.id, submissions=turn.submissions, outcome=Outcome.INTERRUPTED)
            for turn in session.provider.turns[session.id]
        ]
    async with world.relay():
        trace = await world.ended(message)
    assert trace.deliveries[0].state is State.INTERRUPTED


async def test_the_last_words_of_a_session_that_ends_are_heard(world: World) -> None:
    world.provider.capabilities = Capabilities()
    async with world.relay() as relay:
        message, session = await begin(world, relay)
        session.end(text="done, and gone")
        session.die()
        trace = await world.ended(message)
    assert [reply.body for reply in trace.replies] == ["done, and gone"]


async def join_and_die(world: World, *, finished: bool) -> tuple[str, str]:
    """Have a second message join the first's turn, and the relay die before it has noted that."""
    async with world.doomed_relay() as relay:
        first = await relay.send("a", "one", thread="t")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        await world.until(first.message.id, lambda delivery: delivery.state is State.SEEN)
        second = await relay.send("a", "two", thread="t", priority=Priority.NEXT)
        session.join((await session.submitted(2)).id)
        session.say("both")
        if finished:
            session.forget_end("the one answer")
    assert (await world.mailbox.trace(second.message.id)).deliveries[0].turn is None
    return first.message.id, second.message.id


async def test_what_joined_one_turn_gets_its_one_answer_from_history_too(world: World) -> None:
    messages = await join_and_die(world, finished=True)
    async with world.relay():
        for message in messages:
            await world.ended(message)
        [reply] = await world.inbox()
    assert (reply.body, set(reply.in_reply_to)) == ("the one answer", set(messages))


async def test_what_joined_one_turn_is_gone_on_with_in_one(world: World) -> None:
    messages = await join_and_die(world, finished=False)
    async with world.relay():
        session = await world.provider.opened(2)
        again = await session.submitted()
        assert all(message in again.text for message in messages)
        session.answer("finished", again.id)
        for message in messages:
            assert [reply.body for reply in (await world.ended(message)).replies] == ["finished"]
        assert len(session.submissions) == 1
