"""Permission requests from a session to someone who decides, and back."""

from __future__ import annotations

import anyio
import pytest

from relaykit.errors import ClosedRequestError
from relaykit.model import (
    Approval,
    Choice,
    Decision,
    Outcome,
    PermissionAsked,
    PermissionRequest,
    Priority,
    Question,
    Reply,
    RequestState,
    State,
    StatusKind,
)
from relaykit.testing.harness import World
from relaykit.testing.scripted import SECONDS, ScriptedSession

pytestmark = pytest.mark.anyio


async def asking(world: World, relay: object, title: str = "rm -r build") -> tuple[str, ScriptedSession]:
    accepted = await relay.send("a", "hello", thread="t")
    session = await world.provider.opened()
    session.start((await session.submitted()).id)
    session.ask(title)
    return accepted.message.id, session


async def open_request(world: World) -> PermissionRequest:
    with anyio.fail_after(SECONDS):
        async with world.mailbox.watch() as watch:
            while not (found := await world.mailbox.permissions()):
                await watch.wait()
            return found[0]


@pytest.mark.parity("AR-9")
async def test_a_question_waits_for_a_person_and_the_turn_goes_on_as_they_decide(world: World) -> None:
    async with world.relay() as relay:
        message, session = await asking(world, relay)
        request = await open_request(world)
        assert request.question.title == "rm -r build"
        await world.status("a", StatusKind.BUSY, "permission")
        await relay.decide(request.id, Decision.APPROVE_FOR_SESSION)
        assert await session.decided() == ("q1", Decision.APPROVE_FOR_SESSION)
        session.end(text="removed")
        assert (await world.ended(message)).deliveries[0].state is State.ANSWERED


async def test_a_question_with_half_a_surrogate_pair_waits_for_a_person_like_any_other(world: World) -> None:
    async with world.relay() as relay:
        message, session = await asking(world, relay, "rm caf\ud83d.txt")
        request = await open_request(world)
        await relay.decide(request.id, Decision.APPROVE)
        assert await session.decided() == ("q1", Decision.APPROVE)
        session.end(text="removed")
        assert (await world.ended(message)).deliveries[0].state is State.ANSWERED
    assert world.reports == []


async def test_a_question_of_no_turn_outlasts_every_turn_shows_in_the_status_and_is_answered(world: World) -> None:
    async with world.relay() as relay:
        first = await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        session.tell(PermissionAsked(question=Question(key="q1", action="command", title="touch made")))
        session.end(text="an agent goes on")
        assert (await world.ended(first.message.id)).deliveries[0].state is State.ANSWERED
        entry = await world.status("a", StatusKind.BUSY, "permission")
        assert [(item.kind, item.id) for item in entry.status.work] == [("permission", "q1")]
        second = await relay.send("a", "is served meanwhile")
        session.start((await session.submitted(2)).id)
        session.end(text="served")
        assert (await world.ended(second.message.id)).deliveries[0].state is State.ANSWERED
        await relay.decide((await open_request(world)).id, Decision.APPROVE)
        assert await session.decided() == ("q1", Decision.APPROVE)
        await world.status("a", StatusKind.IDLE)


async def test_a_question_ends_with_its_turn_and_nobody_aborts_the_next_one_by_it(world: World) -> None:
    async with world.relay() as relay:
        first, session = await asking(world, relay)
        request = await open_request(world)
        session.end(text="never mind")
        await world.ended(first)
        assert await world.mailbox.permissions() == []
        second = await relay.send("a", "another thing")
        session.start((await session.submitted(2)).id)
        with pytest.raises(ClosedRequestError, match="its turn is over"):
            await relay.decide(request.id, Decision.ABORT)
        session.end(text="done")
        assert (await world.ended(second.message.id)).deliveries[0].state is State.ANSWERED


async def test_the_first_decision_wins(world: World) -> None:
    async with world.relay() as relay:
        _, session = await asking(world, relay)
        request = await open_request(world)
        await relay.decide(request.id, Decision.DENY)
        with pytest.raises(ClosedRequestError):
            await relay.decide(request.id, Decision.APPROVE)
        assert await session.decided() == ("q1", Decision.DENY)


@pytest.mark.parity("AR-9")
async def test_an_abort_interrupts_the_turn_and_the_delivery_ends_interrupted(world: World) -> None:
    async with world.relay() as relay:
        message, session = await asking(world, relay)
        request = await open_request(world)
        await relay.decide(request.id, Decision.ABORT)
        await session.decided()
        session.end(Outcome.INTERRUPTED)
        assert (await world.ended(message)).deliveries[0].state is State.INTERRUPTED


@pytest.mark.parametrize(
    ("approval", "decision"),
    [
        (Approval.AUTO, Decision.APPROVE),
        (Approval.READ_ONLY, Decision.DENY),
        (Approval.DENY, Decision.DENY),
    ],
)
async def test_an_approval_mode_decides_at_once_and_the_request_is_kept_as_decided(
    world: World, approval: Approval, decision: Decision
) -> None:
    async with world.relay(world.agent(approval=approval)) as relay:
        _, session = await asking(world, relay)
        assert await session.decided() == ("q1", decision)
        kept = await world.mailbox.permissions(all=True)
    assert [request.decision for request in kept] == [decision]


@pytest.mark.parity("N-4")
async def test_no_answer_by_its_expiry_is_a_denial(world: World) -> None:
    async with world.relay() as relay:
        _, session = await asking(world, relay)
        await open_request(world)
        await world.clock.advance(24 * 3600 + 60)
        assert await session.decided() == ("q1", Decision.DENY)


@pytest.mark.parity("N-4")
async def test_a_request_whose_session_died_is_withdrawn_and_never_approved_late(world: World) -> None:
    async with world.doomed_relay() as relay:
        await asking(world, relay)
        request = await open_request(world)
    async with world.relay():
        session = await world.provider.opened(2)
        await session.submitted()
        assert await world.mailbox.permissions() == []
        with pytest.raises(ClosedRequestError, match="withdrawn"):
            await world.mailbox.decide(request.id, Decision.APPROVE, by="user")
        assert session.decisions == []
        [kept] = await world.mailbox.permissions(all=True)
    assert kept.state is RequestState.WITHDRAWN


async def test_nothing_joins_a_turn_that_is_asking(world: World) -> None:
    async with world.relay() as relay:
        _, session = await asking(world, relay)
        request = await open_request(world)
        await relay.send("a", "hurry", thread="t", priority=Priority.NEXT)
        await world.status("a", StatusKind.BUSY, "permission")
        assert len(session.submissions) == 1
        await relay.decide(request.id, Decision.APPROVE)
        assert (await session.submitted(2)).text == "hurry"


async def test_a_stop_withdraws_what_its_session_asked(world: World) -> None:
    async with world.relay() as relay:
        await asking(world, relay)
        request = await open_request(world)
    with pytest.raises(ClosedRequestError, match="withdrawn"):
        await world.mailbox.decide(request.id, Decision.APPROVE, by="user")


CHOICE = Choice(question="Which colour?", options=("Red", "Blue"))


@pytest.mark.parity("AR-9")
async def test_a_choice_is_answered_and_the_session_is_told_what_was_chosen(world: World) -> None:
    async with world.relay() as relay:
        await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        session.ask("Which colour?", choices=(CHOICE,))
        request = await open_request(world)
        await relay.decide(request.id, Decision.APPROVE, reply=Reply(answers=("Red",)))
        assert await session.decided() == ("q1", Decision.APPROVE)
        assert session.replies == [Reply(answers=("Red",))]


async def test_a_choice_is_never_made_by_an_approval_mode(world: World) -> None:
    async with world.relay(world.agent("a", approval=Approval.AUTO)) as relay:
        await relay.send("a", "hello")
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        session.ask("Which colour?", choices=(CHOICE,))
        assert await session.decided() == ("q1", Decision.DENY)
