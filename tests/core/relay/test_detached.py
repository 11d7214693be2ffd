"""A provider whose process outlives the relay: what runs is bound again, and ended by order alone."""

from __future__ import annotations

import sys

import pytest
from msgspec.structs import replace

from relaykit.model import CommandKind, Decision, Outcome, PastTurn, State, StatusKind, Wish
from relaykit.relay.children import orphans
from relaykit.relay.children.processes import RelayProcesses
from relaykit.relay.ownership import children_directory
from relaykit.testing.clock import settle
from relaykit.testing.harness import World
from relaykit.testing.scripted import ALL, ScriptedSession

pytestmark = [pytest.mark.anyio, pytest.mark.parity("N-2")]


@pytest.fixture
def detached(world: World) -> World:
    world.provider.capabilities = replace(ALL, detached=True)
    return world


async def begin(world: World, relay: object) -> tuple[str, ScriptedSession, str]:
    """Have a message handed over, and its turn begun."""
    accepted = await relay.send("a", "hello")
    session = await world.provider.opened(len(world.provider.sessions) or 1)
    submission = await session.submitted()
    turn = session.start(submission.id)
    await world.until(accepted.message.id, lambda delivery: delivery.state is State.SEEN)
    return accepted.message.id, session, turn


async def rejoined(world: World, count: int) -> ScriptedSession:
    """Return the session of that number once the relay has looked into its history, with the turn that runs on."""
    session = await world.provider.opened(count)
    session.rejoin()
    await settle()
    return session


async def test_a_turn_that_runs_on_is_bound_again_and_answers_once(detached: World) -> None:
    async with detached.doomed_relay() as relay:
        message, _, _ = await begin(detached, relay)
    for count in (2, 3, 4):
        async with detached.doomed_relay():
            await rejoined(detached, count)
    async with detached.relay():
        session = await rejoined(detached, 5)
        session.say("done")
        session.end(text="done")
        trace = await detached.ended(message)
    assert [reply.body for reply in trace.replies] == ["done"]
    assert (trace.deliveries[0].state, trace.deliveries[0].attempt) == (State.ANSWERED, 1)
    assert [one.submissions for one in detached.provider.sessions[1:]] == [[]] * 4


async def test_a_turn_that_ended_meanwhile_is_settled_from_history(detached: World) -> None:
    async with detached.doomed_relay() as relay:
        message, _, _ = await begin(detached, relay)
    for count in (2, 3):
        async with detached.doomed_relay():
            session = await rejoined(detached, count)
    session.forget_end("finished alone")
    async with detached.relay():
        trace = await detached.ended(message)
    assert [reply.body for reply in trace.replies] == ["finished alone"]


async def test_a_text_that_the_process_is_only_now_reading_is_not_handed_over_again(detached: World) -> None:
    async with detached.doomed_relay() as relay:
        accepted = await relay.send("a", "hello")
        first = await detached.provider.opened()
        submission = await first.submitted()
    async with detached.relay():
        session = await detached.provider.opened(2)
        await settle()  # the relay has looked, and looks again after a while of its clock
        session.start(submission.id)
        await detached.clock.advance(0.2)
        await settle()
        session.end(text="done")
        trace = await detached.ended(accepted.message.id)
    assert [reply.body for reply in trace.replies] == ["done"]
    assert session.submissions == []


async def test_a_turn_that_is_only_now_beginning_and_reads_as_cut_off_is_not_gone_on_with(detached: World) -> None:
    async with detached.doomed_relay() as relay:
        accepted = await relay.send("a", "hello")
        first = await detached.provider.opened()
        submission = await first.submitted()
        beginning = PastTurn(id="turn-1", submissions=(submission.id,), outcome=Outcome.INTERRUPTED)
        detached.provider.turns[first.id] = [beginning]
    async with detached.relay():
        session = await detached.provider.opened(2)
        await settle()
        session.start(submission.id, turn="turn-1")
        await detached.clock.advance(0.2)
        await settle()
        session.end(text="done")
        trace = await detached.ended(accepted.message.id)
    assert [reply.body for reply in trace.replies] == ["done"]
    assert session.submissions == []


async def test_a_text_that_the_process_never_got_is_handed_over_again(detached: World) -> None:
    async with detached.doomed_relay() as relay:
        accepted = await relay.send("a", "hello")
        await (await detached.provider.opened()).submitted()
    async with detached.relay():
        session = await detached.provider.opened(2)
        for _ in range(5):
            await detached.clock.advance(0.2)
        again = await session.submitted()
        session.answer("done", again.id)
        trace = await detached.ended(accepted.message.id)
    assert (trace.deliveries[0].attempt, trace.replies[0].body) == (2, "done")


async def test_a_stop_of_the_relay_lets_go_and_interrupts_nothing(detached: World) -> None:
    async with detached.relay() as relay:
        message, first, _ = await begin(detached, relay)
    assert first.interrupts == 0
    (delivery,) = (await detached.mailbox.trace(message)).deliveries
    assert (delivery.state, delivery.wish, delivery.deaths) == (State.SEEN, None, 0)
    async with detached.relay():
        session = await rejoined(detached, 2)
        session.end(text="done")
        trace = await detached.ended(message)
    assert (trace.deliveries[0].deaths, trace.replies[0].body) == (0, "done")


async def test_a_wish_that_was_recorded_when_the_relay_died_is_told_to_the_turn_that_runs_on(detached: World) -> None:
    async with detached.doomed_relay() as relay:
        message, first, _ = await begin(detached, relay)
        (delivery,) = (await detached.mailbox.trace(message)).deliveries
        await detached.mailbox.wish((await detached.mailbox.leased(delivery.id)).lease, Wish.INTERRUPT)
    async with detached.relay():
        session = await rejoined(detached, 2)
        await session.interrupted()
        trace = await detached.ended(message)
    assert trace.deliveries[0].state is State.INTERRUPTED
    assert first.interrupts == 0


@pytest.mark.parity("N-4")
async def test_a_request_of_a_turn_that_runs_on_stays_open_and_is_answered_once_it_is_repeated(detached: World) -> None:
    async with detached.doomed_relay() as relay:
        message, first, _ = await begin(detached, relay)
        first.ask("rm -r build")
        await detached.status("a", StatusKind.BUSY, "permission")
        (request,) = await relay.permissions()
    async with detached.relay() as relay:
        session = await rejoined(detached, 2)
        session.ask("rm -r build", key="q2")
        await settle()
        assert [one.id for one in await relay.permissions()] == [request.id]
        await relay.decide(request.id, Decision.APPROVE)
        assert await session.decided() == ("q2", Decision.APPROVE)
        session.end(text="done")
        await detached.ended(message)


@pytest.mark.parity("N-4")
async def test_what_was_decided_while_no_relay_ran_is_told_when_the_question_is_repeated(detached: World) -> None:
    async with detached.doomed_relay() as relay:
        message, first, _ = await begin(detached, relay)
        first.ask("rm -r build")
        await detached.status("a", StatusKind.BUSY, "permission")
        (request,) = await relay.permissions()
    await detached.mailbox.decide(request.id, Decision.APPROVE, by="user")
    async with detached.relay() as relay:
        session = await rejoined(detached, 2)
        session.ask("rm -r build", key="q2")
        assert await session.decided() == ("q2", Decision.APPROVE)
        session.end(text="done")
        await detached.ended(message)
    assert len(await detached.mailbox.permissions(all=True)) == 1


@pytest.mark.parity("N-4")
async def test_another_question_of_that_item_is_asked_anew_and_the_one_that_is_not_repeated_is_withdrawn(
    detached: World,
) -> None:
    async with detached.doomed_relay() as relay:
        message, first, _ = await begin(detached, relay)
        first.ask("rm -r build")
        await detached.status("a", StatusKind.BUSY, "permission")
    async with detached.relay() as relay:
        session = await rejoined(detached, 2)
        session.ask("rm -r src", key="q2")
        await settle()
        assert [one.question.title for one in await relay.permissions()] == ["rm -r build", "rm -r src"]
        session.end(Outcome.COMPLETED, text="done")
        await detached.ended(message)
        (old, _) = await detached.mailbox.permissions(all=True)
    assert (old.question.title, old.state, old.reason) == ("rm -r build", "withdrawn", "its turn is over")


@pytest.fixture
async def process(world: World, anyio_backend_name: str):
    """A real process, detached, that is written down as the agent's."""
    if anyio_backend_name != "asyncio":
        pytest.skip("processes run on asyncio")
    directory = children_directory(world.home, "a")
    processes = RelayProcesses(directory, world.clock.boot_id())
    argv = [sys.executable, "-c", "import time; time.sleep(600)"]
    yield await processes.detached("key", argv, output=world.home / "output")
    await orphans.end_detached(directory, world.clock.boot_id())


def runs(world: World) -> bool:
    found = orphans.detached(children_directory(world.home, "a"), world.clock.boot_id())
    return any(record.alive for record in found)


@pytest.mark.parametrize("kind", [CommandKind.STOP, CommandKind.KILL, CommandKind.RESTART])
async def test_an_order_ends_a_detached_process_and_the_end_of_the_relay_does_not(
    detached: World, process: object, kind: CommandKind
) -> None:
    async with detached.relay() as relay:
        await relay.ready("a")
    assert runs(detached)
    async with detached.relay() as relay:
        await relay.ready("a")
        await relay.order("a", kind)
        if kind is CommandKind.RESTART:
            await detached.provider.opened(3)
        else:
            await relay.ended()
    assert not runs(detached)


async def test_an_agent_that_is_no_longer_detached_has_the_process_ended_before_its_session_is_opened(
    world: World, process: object
) -> None:
    async with world.relay() as relay:
        await relay.ready("a")
        assert not runs(world)
