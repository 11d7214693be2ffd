"""Messages between agents: who is answered, and what keeps them from talking for ever."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from relaykit.errors import RefusedError
from relaykit.model import Draft, Limits, MessageKind, Origin, Outcome, Priority, Profile, State, StatusKind
from relaykit.testing.clock import settle
from relaykit.testing.harness import World

pytestmark = pytest.mark.anyio


async def test_a_reply_is_not_answered_and_what_it_brings_about_goes_to_whoever_asked_first(world: World) -> None:
    async with world.relay(world.agent("a"), world.agent("b")) as relay:
        asked = await relay.send("a", "have it reviewed", thread="t")
        a, b = await world.provider.opened(1), await world.provider.opened(2)
        if a.request.agent != "a":
            a, b = b, a
        first = await a.submitted(1)
        a.start(first.id)
        await world.until(asked.message.id, lambda delivery: delivery.state is State.SEEN)
        await world.mailbox.put(Draft(sender="a", to="b", body="please review"))
        b.answer("looks good", (await b.submitted(1)).id)
        a.end(text="I asked b")
        second = await a.submitted(2)
        assert "looks good" in second.text
        a.answer("b says it looks good", second.id)
        inbox = await world.received(2)
        assert len(b.submissions) == 1, "the reply's turn does not answer the replier"
    assert [(message.kind, message.body) for message in inbox] == [
        (MessageKind.REPLY, "I asked b"),
        (MessageKind.FOLLOW_UP, "b says it looks good"),
    ]
    assert {message.thread for message in inbox} == {"t"}


async def test_what_joins_the_turn_on_a_reply_is_named_by_what_that_turn_says(world: World) -> None:
    async with world.relay(world.agent("a"), world.agent("b")) as relay:
        asked = await relay.send("a", "have it reviewed", thread="t")
        a, b = await world.provider.opened(1), await world.provider.opened(2)
        if a.request.agent != "a":
            a, b = b, a
        a.start((await a.submitted(1)).id)
        await world.until(asked.message.id, lambda delivery: delivery.state is State.SEEN)
        await world.mailbox.put(Draft(sender="a", to="b", body="please review"))
        b.answer("looks good", (await b.submitted(1)).id)
        a.end(text="I asked b")
        a.start((await a.submitted(2)).id)
        more = await relay.send("a", "is it good?", thread="t", priority=Priority.NEXT)
        a.join((await a.submitted(3)).id)
        a.end(text="b says it looks good")
        trace = await world.ended(more.message.id)
    assert trace.deliveries[0].state is State.ANSWERED
    assert [reply.in_reply_to for reply in trace.replies] == [(asked.message.id, more.message.id)]


async def test_a_notice_to_an_agent_is_never_answered(world: World) -> None:
    async with world.relay(world.agent("a"), world.agent("b")) as relay:
        asked = await relay.send("a", "go")
        a, b = await world.provider.opened(1), await world.provider.opened(2)
        if a.request.agent != "a":
            a, b = b, a
        a.start((await a.submitted(1)).id)
        await world.until(asked.message.id, lambda delivery: delivery.state is State.SEEN)
        sent = await world.mailbox.put(Draft(sender="a", to="b", body="please"))
        b.start((await b.submitted(1)).id)
        b.end(Outcome.FAILED)
        await world.ended(sent.message.id)
        a.end(text="done")
        notice = await a.submitted(2)
        a.answer("what a pity", notice.id)
        await world.status("a", StatusKind.IDLE)
        assert len(b.submissions) == 1
        assert [message.body for message in await world.inbox()] == ["done"]


async def test_an_agent_cannot_interrupt_another_unless_its_profile_allows_it(world: World) -> None:
    async with world.relay(world.agent("a"), world.agent("b")):
        accepted = await world.mailbox.put(Draft(sender="a", to="b", body="now!", priority=Priority.NOW))
    assert accepted.deliveries[0].priority is Priority.NEXT


async def test_a_wait_that_would_close_a_circle_is_refused(world: World) -> None:
    async with world.relay(world.agent("a"), world.agent("b")) as relay:
        for name in ("a", "b"):
            await relay.send(name, f"go, {name}")
        for session in (await world.provider.opened(1), await world.provider.opened(2)):
            session.start((await session.submitted(1)).id)
        for name in ("a", "b"):
            await world.status(name, StatusKind.BUSY, "turn")
        await world.mailbox.put(Draft(sender="a", to="b", body="?"), waits=60)
        with pytest.raises(RefusedError, match="would never end"):
            await world.mailbox.put(Draft(sender="b", to="a", body="?"), waits=60)


@pytest.mark.parity("AR-4", "AR-5")
async def test_a_message_to_any_of_a_group_is_handled_by_exactly_one(world: World) -> None:
    agents = [world.agent(name, tags=("review",)) for name in ("a", "b")]
    async with world.relay(*agents) as relay:
        await world.provider.opened(2)
        accepted = await relay.send("any:tag:review", "one of you")
        await world.until(accepted.message.id, lambda delivery: delivery.state is State.DELIVERED)
        await settle()  # that is recorded before the session has the text
        handed = [submission for session in world.provider.sessions for submission in session.submissions]
        session = next(session for session in world.provider.sessions if session.submissions)
        session.answer("me", handed[0].id)
        trace = await world.ended(accepted.message.id)
    assert [delivery.recipient for delivery in trace.deliveries] == [session.request.agent]
    assert len(handed) == 1


@pytest.mark.parity("AR-4")
async def test_a_profile_says_who_may_reach_its_agents(world: World) -> None:
    profiles = {"shy": Profile(name="shy", reachable_by=("b",))}
    async with world.relay(world.agent("a", profile="shy"), world.agent("b"), profiles=profiles) as relay:
        with pytest.raises(RefusedError):
            await relay.send("a", "hello")
        accepted = await world.mailbox.put(Draft(sender="b", to="a", body="hello"))
    assert accepted.deliveries[0].recipient == "a"


def test_the_chain_of_causes_is_bounded_by_default() -> None:
    assert Limits().hops == 16


async def test_what_a_turn_in_the_background_says_follows_up_in_the_thread_of_what_began_it(world: World) -> None:
    async with world.relay() as relay:
        asked = await relay.send("a", "build it", thread="t")
        session = await world.provider.opened()
        begun = await session.submitted()
        turn = session.start(begun.id)
        session.end(text="it builds in the background")
        await world.ended(asked.message.id)
        for cause in (turn, begun.id):
            background = session.start(origin=Origin.PROVIDER, cause=cause)
            session.end(text=f"news from {cause}")
        session.start(origin=Origin.PROVIDER, cause=background)
        session.end(text="more of it")
        _, *notes = await world.received(4)
    assert [note.body for note in notes] == [f"news from {turn}", f"news from {begun.id}", "more of it"]
    assert {(note.kind, note.thread, note.in_reply_to) for note in notes} == {
        (MessageKind.FOLLOW_UP, "t", (asked.message.id,))
    }


async def test_a_turn_that_nobody_asked_for_and_whose_cause_is_not_known_is_an_event_alone(world: World) -> None:
    async with world.relay() as relay:
        asked = await relay.send("a", "hello")
        session = await world.provider.opened()
        session.answer("done", (await session.submitted()).id)
        await world.ended(asked.message.id)
        for cause in (None, "a turn of long ago"):
            session.start(origin=Origin.PROVIDER, cause=cause)
            session.end(text="nobody hears this")
        injected = await relay.send("a", "still there?")
        session.answer("yes", (await session.submitted(2)).id)
        await world.ended(injected.message.id)
        assert [message.body for message in await world.inbox()] == ["done", "yes"]


async def test_what_is_too_long_for_the_provider_is_refused_at_the_put(world: World) -> None:
    world.provider.capabilities = replace(world.provider.capabilities, max_text=10)
    async with world.relay() as relay:
        await world.provider.opened()
        await world.status("a", StatusKind.IDLE)
        with pytest.raises(RefusedError, match="a takes 10"):
            await relay.send("a", "x" * 11)
