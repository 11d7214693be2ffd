"""Faults sorted by whose they are."""

from __future__ import annotations

import anyio
import pytest

from relaykit.errors import CredentialError, ProviderError
from relaykit.model import Fault, Outcome, State, StatusKind, Whose
from relaykit.testing.harness import World
from relaykit.testing.scripted import SECONDS

pytestmark = pytest.mark.anyio


def fault(whose: Whose, code: str = "c") -> Fault:
    return Fault(whose=whose, code=code, message=f"the {whose.value}'s fault")


@pytest.mark.parity("AR-7")
async def test_a_missing_binary_pauses_the_agent_with_its_queue_held_and_the_next_try_shown(world: World) -> None:
    world.provider.refusals.append(fault(Whose.AGENT))
    async with world.relay() as relay:
        entry = await world.status("a", StatusKind.ERROR, "paused")
        assert entry.status.next_try == pytest.approx(world.clock.now() + 5)
        accepted = await relay.send("a", "hello")
        await world.clock.advance(5)
        session = await world.provider.opened()
        session.answer("hi", (await session.submitted()).id)
        assert (await world.ended(accepted.message.id)).deliveries[0].attempt == 1


@pytest.mark.parity("AR-5")
async def test_a_quota_before_any_work_releases_the_message_and_hands_it_over_after_the_rest(world: World) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted(1)).id)
        session.end(Outcome.FAILED, fault=fault(Whose.AGENT))
        await world.status("a", StatusKind.ERROR, "paused")
        assert (await relay.trace(accepted.message.id)).deliveries[0].state is State.QUEUED
        await world.clock.advance(5)
        again = await session.submitted(2)
        assert again.text == "hello"
        session.answer("hi", again.id)
        trace = await world.ended(accepted.message.id)
    assert trace.deliveries[0].deaths == 0


async def test_a_quota_after_work_is_gone_on_with_after_the_rest(world: World) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted(1)).id)
        session.use_tool("shell")
        session.end(Outcome.FAILED, fault=fault(Whose.AGENT))
        await world.status("a", StatusKind.ERROR, "paused")
        await world.clock.advance(5)
        again = await session.submitted(2)
        assert accepted.message.id in again.text
        session.answer("done", again.id)
        assert (await world.ended(accepted.message.id)).deliveries[0].state is State.ANSWERED


async def test_a_text_that_was_refused_by_our_own_fault_is_released_uncounted_and_handed_over_after_a_rest(
    world: World,
) -> None:
    async with world.relay() as relay:
        session = await world.provider.opened()
        session.refusal = fault(Whose.RELAY)
        accepted = await relay.send("a", "hello")
        await world.status("a", StatusKind.ERROR, "paused")
        assert (await relay.trace(accepted.message.id)).deliveries[0].state is State.QUEUED
        await world.clock.advance(5)
        session.answer("hi", (await session.submitted()).id)
        trace = await world.ended(accepted.message.id)
    assert (trace.deliveries[0].state, trace.deliveries[0].deaths) == (State.ANSWERED, 0)
    assert len(world.provider.sessions) == 1


async def test_a_turn_that_is_left_to_recovery_has_its_session_opened_again_if_that_goes_on(world: World) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        session.use_tool("shell")
        session.end(Outcome.FAILED, fault=fault(Whose.PROCESS))
        await world.status("a", StatusKind.ERROR, "restarting")
        await world.clock.advance(1)
        second = await world.provider.opened(2)
        again = await second.submitted()
        assert "go on" in again.text
        second.answer("done", again.id)
        trace = await world.ended(accepted.message.id)
    assert (trace.deliveries[0].state, trace.deliveries[0].deaths) == (State.ANSWERED, 1)


async def test_a_refused_message_is_dead_and_a_second_with_the_same_code_pauses_the_agent_instead(world: World) -> None:
    async with world.relay() as relay:
        session = await world.provider.opened()
        session.refusal = fault(Whose.MESSAGE, "bad_input")
        first = await relay.send("a", "one")
        assert (await world.ended(first.message.id)).deliveries[0].state is State.DEAD
        session.refusal = fault(Whose.MESSAGE, "bad_input")
        second = await relay.send("a", "two")
        await world.status("a", StatusKind.ERROR, "paused")
        assert (await relay.trace(second.message.id)).deliveries[0].state is State.QUEUED


@pytest.mark.parametrize("begun", [False, True])
async def test_one_that_is_refused_again_after_the_rest_is_dead_and_the_next_is_compared_with_it(
    world: World, begun: bool
) -> None:
    refused = fault(Whose.MESSAGE, "bad_input")
    async with world.relay() as relay:
        session = await world.provider.opened()
        messages = [(await relay.send("a", f"bad {number}")).message.id for number in range(3)]
        good = (await relay.send("a", "good")).message.id
        for tries, (message, ends) in enumerate([(0, True), (1, False), (1, True), (2, False), (2, True)], start=1):
            session.start((await session.submitted(tries)).id)
            if begun:
                session.use_tool("sh")
            session.end(Outcome.FAILED, fault=refused)
            if ends:
                assert (await world.ended(messages[message])).deliveries[0].state is State.DEAD
            else:
                await world.status("a", StatusKind.ERROR, "paused")
                await world.clock.advance(60)
        session.answer("hi", (await session.submitted(6)).id)
        assert (await world.ended(good)).deliveries[0].state is State.ANSWERED


async def test_a_rest_outlives_the_session(world: World) -> None:
    async with world.relay() as relay:
        await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted(1)).id)
        session.end(Outcome.FAILED, fault=Fault(whose=Whose.AGENT, code="q", message="quota", retry_after=100))
        await world.status("a", StatusKind.ERROR, "paused")
        session.die()
        await world.status("a", StatusKind.ERROR, "restarting")
        await world.clock.advance(1)
        await world.provider.opened(2)
        await world.status("a", StatusKind.ERROR, "paused")
        await world.clock.advance(100)
        assert (await (await world.provider.opened(2)).submitted()).text == "hello"


async def test_a_credential_that_cannot_be_had_pauses_the_agent_and_is_told_to_who_waits_for_it(world: World) -> None:
    async def opening(_: object) -> None:
        raise CredentialError("there is no credential 'nosuch'")

    world.provider.opening = opening
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        entry = await world.status("a", StatusKind.ERROR, "paused")
        assert entry.status.detail == "there is no credential 'nosuch'"
        assert entry.status.next_try == world.clock.now() + 5
        with anyio.fail_after(SECONDS), pytest.raises(ProviderError, match="nosuch") as caught:
            await relay.ready("a")
        assert caught.value.fault.whose is Whose.AGENT
        for seconds in (5, 10, 20, 40):
            await world.clock.advance(seconds)
            await world.status("a", StatusKind.ERROR, "paused")
        world.provider.opening = None
        await world.clock.advance(80)
        session = await world.provider.opened()
        session.answer("hi", (await session.submitted()).id)
        delivery = (await world.ended(accepted.message.id)).deliveries[0]
    assert (delivery.state, delivery.deaths) == (State.ANSWERED, 0)


async def test_who_waits_for_an_agent_that_is_given_up_is_told_why(world: World) -> None:
    async def opening(_: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "/x/agent")

    world.provider.opening = opening
    async with world.relay() as relay:
        for _ in range(4):
            await world.clock.advance(2)
        await world.status("a", StatusKind.ERROR, "gave_up")
        with anyio.fail_after(SECONDS), pytest.raises(ProviderError, match="/x/agent"):
            await relay.ready("a")
