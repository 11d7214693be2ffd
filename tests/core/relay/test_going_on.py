"""What a session began with is gone on with, whatever comes between, and never begun anew."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from relaykit.model import Draft, Fault, Outcome, Priority, State, StatusKind, Whose
from relaykit.testing.harness import World
from relaykit.testing.scripted import ALL, ScriptedSession

pytestmark = pytest.mark.anyio
QUOTA = Fault(whose=Whose.AGENT, code="quota", message="out of quota", retry_after=120)


async def never(*_: object) -> None:
    await anyio.sleep_forever()


@pytest.mark.parametrize("refused", [True, False])
async def test_a_word_to_go_on_that_meets_the_agents_fault_is_said_again(world: World, refused: bool) -> None:
    async with world.relay() as relay:
        message = (await relay.send("a", "push it")).message.id
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        session.use_tool("git push")
        session.end(Outcome.FAILED, fault=QUOTA)
        await world.status("a", StatusKind.ERROR, "paused")
        session.refusal = QUOTA if refused else None
        await world.clock.advance(121)
        if not refused:
            session.start((await session.submitted(2)).id)
            session.end(Outcome.FAILED, fault=QUOTA)
        await world.until(message, lambda delivery: delivery.attempt == 2)
        await world.status("a", StatusKind.ERROR, "paused")
        session.refusal = None
        await world.clock.advance(121)
        last = await session.submitted(2 if refused else 3)
    assert last.text.startswith("You were interrupted")


async def test_what_history_never_had_is_not_gone_on_with_after_one_more_crash(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.doomed_relay() as relay:
        message = (await relay.send("a", "hello")).message.id
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        await world.until(message, lambda delivery: delivery.state is State.SEEN)
    world.provider.turns[session.id] = []
    with monkeypatch.context() as patched:
        patched.setattr(ScriptedSession, "submit", never)
        async with world.doomed_relay():
            await world.until(message, lambda delivery: delivery.attempt == 2)
    async with world.relay():
        assert (await (await world.provider.opened(3)).submitted()).text == "hello"


async def test_what_joined_one_turn_is_gone_on_with_together_though_the_word_to_go_on_was_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.doomed_relay() as relay:
        first = (await relay.send("a", "first", thread="t")).message.id
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        await world.until(first, lambda delivery: delivery.state is State.SEEN)
        second = (await relay.send("a", "second", thread="t", priority=Priority.NEXT)).message.id
        session.join((await session.submitted(2)).id)
        await world.until(second, lambda delivery: delivery.state is State.SEEN)
    with monkeypatch.context() as patched:
        patched.setattr(ScriptedSession, "submit", never)
        async with world.doomed_relay():
            for message in (first, second):
                await world.until(message, lambda delivery: delivery.attempt == 2)
    async with world.relay():
        session = await world.provider.opened(3)
        session.answer("done", (await session.submitted()).id)
        for message in (first, second):
            await world.ended(message)
        assert len(session.submissions) == 1
    (reply,) = await world.inbox()
    assert set(reply.in_reply_to) == {first, second}


async def test_what_expired_is_not_begun_anew_where_nothing_tells_what_became_of_it(world: World) -> None:
    world.provider.capabilities = replace(ALL, history=False)
    agent = world.agent(on_interrupted="redeliver")
    async with world.doomed_relay(agent):
        session = await world.provider.opened()
        draft = Draft(sender="user", to="a", body="now or never", expires_at=world.clock.now() + 60)
        message = (await world.mailbox.put(draft)).message.id
        await session.submitted()
    await world.clock.advance(3600)
    async with world.relay(agent):
        session = await world.provider.opened(2)
        assert (await world.ended(message)).deliveries[0].state is State.EXPIRED
        assert not session.submissions


async def test_what_a_message_with_priority_now_interrupted_is_not_tried_again_after_the_agents_fault(
    world: World,
) -> None:
    async with world.relay() as relay:
        old = (await relay.send("a", "old")).message.id
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        await world.until(old, lambda delivery: delivery.state is State.SEEN)
        session.use_tool("sh")
        session.obedient = False
        await relay.send("a", "urgent", priority=Priority.NOW)
        await session.interrupted()
        session.end(Outcome.FAILED, fault=replace(QUOTA, retry_after=1))
        assert (await world.ended(old)).deliveries[0].state is State.INTERRUPTED
        await world.clock.advance(2)
        assert (await session.submitted(2)).text == "urgent"
