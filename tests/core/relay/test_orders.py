"""Commands to an agent's life."""

from __future__ import annotations

import anyio
import pytest

from relaykit.errors import ProviderError
from relaykit.model import (
    DRAIN,
    Capabilities,
    Command,
    CommandKind,
    CommandState,
    Fault,
    Outcome,
    Priority,
    State,
    StatusKind,
    Whose,
)
from relaykit.relay import Relay
from relaykit.testing.harness import World
from relaykit.testing.scripted import SECONDS

pytestmark = pytest.mark.anyio


async def order(world: World, relay: Relay, kind: CommandKind, text: str = "") -> Command:
    return await world.outcome(await relay.order("a", kind, text))


@pytest.mark.parity("AR-8")
async def test_an_interrupt_ends_the_turn_and_its_delivery(world: World) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        await world.status("a", StatusKind.BUSY, "turn")
        done = await order(world, relay, CommandKind.INTERRUPT)
        trace = await world.ended(accepted.message.id)
    assert done.state is CommandState.SUCCEEDED
    assert trace.deliveries[0].state is State.INTERRUPTED


async def test_an_interrupt_of_an_idle_agent_says_so_and_touches_nothing(world: World) -> None:
    async with world.relay() as relay:
        session = await world.provider.opened()
        done = await order(world, relay, CommandKind.INTERRUPT)
    assert (done.state, done.result, session.interrupts) == (CommandState.SUCCEEDED, "no turn ran", 0)


async def test_steering_joins_the_running_turn_and_nothing_is_answered_to_it(world: World) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        begun = await session.submitted(1)
        session.start(begun.id)
        await world.status("a", StatusKind.BUSY, "turn")
        await order(world, relay, CommandKind.STEER, "and faster")
        steered = await session.submitted(2)
        assert (steered.text, steered.mode.value) == ("and faster", "join")
        session.join(steered.id)
        session.end(text="done")
        trace = await world.ended(accepted.message.id)
        assert [message.body for message in await world.inbox()] == ["done"]
    assert trace.replies[0].in_reply_to == (accepted.message.id,)


async def test_steering_an_idle_agent_fails_with_the_remedy(world: World) -> None:
    async with world.relay() as relay:
        await world.provider.opened()
        done = await order(world, relay, CommandKind.STEER, "faster")
    assert done.state is CommandState.FAILED
    assert "relaykit send" in done.result


@pytest.mark.parity("AR-8")
async def test_an_injection_into_an_idle_agent_is_a_turn_that_answers_nobody(world: World) -> None:
    async with world.relay() as relay:
        session = await world.provider.opened()
        await order(world, relay, CommandKind.INJECT, "remember this")
        injected = await session.submitted()
        session.answer("noted", injected.id)
        await world.status("a", StatusKind.IDLE)
        assert await world.inbox() == []


@pytest.mark.parity("AR-8")
async def test_compacting_waits_for_the_turn_that_runs(world: World) -> None:
    async with world.relay() as relay:
        await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        await world.status("a", StatusKind.BUSY, "turn")
        command = await relay.order("a", CommandKind.COMPACT)
        assert session.compacted == 0
        session.end(text="done")
        assert (await world.outcome(command)).state is CommandState.SUCCEEDED
    assert session.compacted == 1


async def test_an_order_that_fails_with_half_a_surrogate_pair_in_the_reason_fails_and_ends_no_session(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def compact() -> None:
        raise ProviderError(Fault(whose=Whose.RELAY, code="c", message="cut \ud83d"))

    async with world.relay() as relay:
        monkeypatch.setattr(await world.provider.opened(), "compact", compact)
        done = await order(world, relay, CommandKind.COMPACT)
    assert (done.state, done.result) == (CommandState.FAILED, "cut ?")
    assert world.reports == []


async def test_the_session_goes_on_with_another_model(world: World) -> None:
    async with world.relay() as relay:
        session = await world.provider.opened()
        command = await relay.order("a", CommandKind.MODEL, "large")
        assert (await world.outcome(command)).result == "it goes on with large"
    assert session.model == "large"


async def test_the_session_goes_on_in_another_permission_mode(world: World) -> None:
    async with world.relay() as relay:
        session = await world.provider.opened()
        command = await relay.order("a", CommandKind.PERMISSION_MODE, "plan")
        assert (await world.outcome(command)).result == "it goes on in the permission mode plan"
    assert session.permission_mode == "plan"


async def test_what_a_provider_cannot_do_is_refused_in_words(world: World) -> None:
    world.provider.capabilities = Capabilities()
    async with world.relay() as relay:
        await world.provider.opened()
        done = await order(world, relay, CommandKind.COMPACT)
        changed = await order(world, relay, CommandKind.PERMISSION_MODE, "plan")
    assert done.state is changed.state is CommandState.FAILED
    assert "cannot compact" in done.result
    assert "set approval" in changed.result


@pytest.mark.parity("AR-8")
async def test_an_order_that_cannot_be_taken_in_a_minute_fails(world: World) -> None:
    world.provider.capabilities = Capabilities()
    async with world.relay() as relay:
        await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        await world.status("a", StatusKind.BUSY, "turn")
        command = await relay.order("a", CommandKind.INJECT, "too late")
        await world.clock.advance(61)
        assert (await world.outcome(command)).state is CommandState.FAILED
        assert len(session.submissions) == 1


@pytest.mark.parity("AR-8", "N-6")
async def test_a_restart_opens_the_same_session_again_with_the_same_queue(world: World) -> None:
    async with world.relay() as relay:
        first = await world.provider.opened()
        done = await order(world, relay, CommandKind.RESTART)
        second = await world.provider.opened(2)
        accepted = await relay.send("a", "still there?")
        second.answer("yes", (await second.submitted()).id)
        await world.ended(accepted.message.id)
    assert done.state is CommandState.SUCCEEDED
    assert second.id == first.id


@pytest.mark.parity("AR-8")
async def test_a_reconnect_starts_a_session_that_ends_with_the_relay_in_place(world: World) -> None:
    async with world.relay() as relay:
        first = await world.provider.opened()
        done = await order(world, relay, CommandKind.RECONNECT)
        second = await world.provider.opened(2)
    assert (done.state, done.result) == (CommandState.SUCCEEDED, "it is joined again")
    assert second.id == first.id


@pytest.mark.parity("AR-8")
@pytest.mark.parametrize("kind", [CommandKind.STOP, CommandKind.KILL])
async def test_stop_and_kill_have_succeeded_when_the_agent_is_gone_and_its_queue_stays(
    world: World, kind: CommandKind
) -> None:
    async with world.relay() as relay:
        await world.provider.opened()
        done = await order(world, relay, kind)
        await world.status("a", StatusKind.OFFLINE)
        with anyio.fail_after(SECONDS):
            await relay.ended()
        accepted = await relay.send("a", "for later")
    assert done.state is CommandState.SUCCEEDED
    assert (await world.mailbox.trace(accepted.message.id)).deliveries[0].state is State.QUEUED


async def test_a_kill_does_not_wait_for_the_turn(world: World) -> None:
    async with world.relay() as relay:
        await relay.send("a", "hello")
        session = await world.provider.opened()
        session.obedient = False
        session.start((await session.submitted()).id)
        await world.status("a", StatusKind.BUSY, "turn")
        await order(world, relay, CommandKind.KILL)
        assert session.interrupts == 0


async def test_a_message_that_was_seen_is_cancelled_by_interrupting_it(world: World) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        await world.until(accepted.message.id, lambda delivery: delivery.state is State.SEEN)
        await world.mailbox.cancel(accepted.message.id, interrupt=True)
        trace = await world.ended(accepted.message.id)
        assert await world.inbox() == []
    assert trace.deliveries[0].state is State.CANCELLED
    assert session.interrupts == 1


@pytest.mark.parity("N-3")
async def test_a_cancelled_message_that_was_not_begun_with_is_taken_back_from_the_provider(world: World) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        await session.submitted()
        await world.until(accepted.message.id, lambda delivery: delivery.state is State.DELIVERED)
        await world.mailbox.cancel(accepted.message.id)
        ended = (await world.ended(accepted.message.id)).deliveries[0]
        assert ended.state is State.CANCELLED
        assert session.withdrawn == [ended.submission]
        await relay.send("a", "next")
        assert (await session.submitted(2)).text == "next"


async def test_a_cancelled_joiner_loses_only_its_own_reply(world: World) -> None:
    async with world.relay() as relay:
        first = await relay.send("a", "begin", thread="t")
        session = await world.provider.opened()
        begun = await session.submitted(1)
        session.start(begun.id)
        await world.until(first.message.id, lambda delivery: delivery.state is State.SEEN)
        second = await relay.send("a", "more", thread="t", priority=Priority.NEXT)
        joined = await session.submitted(2)
        session.join(joined.id)
        await world.until(second.message.id, lambda delivery: delivery.state is State.SEEN)
        await world.mailbox.cancel(second.message.id, interrupt=True)
        await world.status("a", StatusKind.BUSY)
        session.end(text="done")
        assert (await world.ended(first.message.id)).deliveries[0].state is State.ANSWERED
        assert (await world.ended(second.message.id)).deliveries[0].state is State.CANCELLED
    assert session.interrupts == 0


async def test_a_stop_that_drains_waits_for_the_turn_however_long_it_takes(world: World) -> None:
    async with world.relay(drain_seconds=0.01) as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        await world.status("a", StatusKind.BUSY, "turn")
        command = await relay.order("a", CommandKind.STOP, DRAIN)
        await world.status("a", StatusKind.BUSY, "stopping")
        with anyio.move_on_after(0.1):
            await relay.ended()
        session.end(text="at last")
        assert (await world.ended(accepted.message.id)).deliveries[0].state is State.ANSWERED
        assert (await world.outcome(command)).state is CommandState.SUCCEEDED
    assert session.interrupts == 0


@pytest.mark.parity("AR-8", "N-6")
async def test_a_cleared_agent_begins_a_new_session_with_the_same_queue_and_the_old_one_has_ended(world: World) -> None:
    async with world.relay() as relay:
        first = await world.provider.opened()
        done = await order(world, relay, CommandKind.CLEAR)
        second = await world.provider.opened(2)
        accepted = await relay.send("a", "who am I?")
        second.answer("no idea", (await second.submitted()).id)
        await world.ended(accepted.message.id)
        ended = {record.id: record.ended_at for record in await world.sessions.sessions()}
        (entry,) = await world.mailbox.agents()
    assert done.state is CommandState.SUCCEEDED
    assert (second.request.resume, second.id != first.id) == (None, True)
    assert (entry.session, first.submissions) == (second.id, [])
    assert ended[first.id] is not None


@pytest.mark.parity("AR-8")
async def test_clearing_waits_for_the_turn_that_runs(world: World) -> None:
    async with world.relay() as relay:
        running = await relay.send("a", "hello")
        first = await world.provider.opened()
        first.start((await first.submitted()).id)
        await world.status("a", StatusKind.BUSY, "turn")
        command = await relay.order("a", CommandKind.CLEAR)
        first.end(text="done")
        assert (await world.outcome(command)).state is CommandState.SUCCEEDED
        await world.provider.opened(2)
        assert (await world.ended(running.message.id)).replies[0].body == "done"
    assert (first.interrupts, len(first.submissions)) == (0, 1)


async def test_a_turn_that_does_not_end_in_a_minute_keeps_its_session(world: World) -> None:
    async with world.relay() as relay:
        await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        await world.status("a", StatusKind.BUSY, "turn")
        command = await relay.order("a", CommandKind.CLEAR)
        await world.clock.advance(61)
        assert (await world.outcome(command)).state is CommandState.FAILED
        session.end(text="done")
        await world.status("a", StatusKind.IDLE)
    assert len(world.provider.sessions) == 1


async def test_what_was_cut_off_is_gone_on_with_before_its_session_is_cleared(world: World) -> None:
    async with world.relay() as relay:
        await relay.send("a", "hello")
        first = await world.provider.opened()
        first.start((await first.submitted()).id)
        first.use_tool("ls")
        first.end(Outcome.FAILED, fault=Fault(whose=Whose.AGENT, code="quota", message="no quota", retry_after=30))
        await world.status("a", StatusKind.ERROR, "paused")
        command = await relay.order("a", CommandKind.CLEAR)
        await world.clock.advance(31)
        again = await first.submitted(2)
        assert "go on" in again.text
        first.answer("done", again.id)
        assert (await world.outcome(command)).state is CommandState.SUCCEEDED
        await world.provider.opened(2)


async def test_a_session_that_was_cleared_does_not_come_back_with_the_next_relay(world: World) -> None:
    async with world.doomed_relay() as relay:
        first = await world.provider.opened()
        await order(world, relay, CommandKind.CLEAR)
    opened = len(world.provider.sessions)
    async with world.relay():
        assert (await world.provider.opened(opened + 1)).id != first.id
