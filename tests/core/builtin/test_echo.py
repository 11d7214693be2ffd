from __future__ import annotations

from contextlib import asynccontextmanager

import anyio
import pytest

from relaykit.builtin.echo import open_echo
from relaykit.model import BlockDelta, BlockEnded, Mode, Outcome, TurnEnded, TurnJoined, Whose
from relaykit.plugin import SessionRequest
from relaykit.testing.clock import VirtualClock
from relaykit.testing.contexts import make_context

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock():
    return VirtualClock()


@asynccontextmanager
async def session(tmp_path, clock, **options):
    request = SessionRequest(agent="a", cwd=tmp_path)
    with anyio.fail_after(5):
        async with (
            open_echo(options, make_context(tmp_path, clock=clock)) as provider,
            provider.session(request) as one,
        ):
            yield one


async def events_of_turn(opened):
    events = [await opened.events.receive()]
    while not isinstance(events[-1], TurnEnded):
        events.append(await opened.events.receive())
    return events


async def test_it_says_every_text_again(tmp_path, clock):
    async with session(tmp_path, clock) as opened:
        await opened.submit("hello", "s1", Mode.OWN)
        end = (await events_of_turn(opened))[-1]
    assert (end.text, end.outcome, end.submissions) == ("echo: hello", Outcome.COMPLETED, ("s1",))


async def test_it_answers_in_pieces(tmp_path, clock):
    async with session(tmp_path, clock, prefix="", chunk=2) as opened:
        await opened.submit("hello", "s1", Mode.OWN)
        events = await events_of_turn(opened)
    assert [event.text for event in events if isinstance(event, BlockDelta)] == ["he", "ll", "o"]


async def test_a_text_that_joins_is_answered_in_the_same_turn(tmp_path, clock):
    async with session(tmp_path, clock, delay=5) as opened:
        await opened.submit("one", "s1", Mode.OWN)
        await anyio.wait_all_tasks_blocked()
        await opened.submit("two", "s2", Mode.JOIN)
        await clock.advance(5)
        events = await events_of_turn(opened)
    assert [event.submissions for event in events if isinstance(event, TurnJoined)] == [("s2",)]
    assert (events[-1].text, events[-1].submissions) == ("echo: one\necho: two", ("s1", "s2"))


async def test_an_interrupted_answer_keeps_what_was_said(tmp_path, clock):
    async with session(tmp_path, clock, prefix="", chunk=1, pause=1) as opened:
        await opened.submit("hello", "s1", Mode.OWN)
        for _ in range(2):
            await clock.advance(1)
        await opened.interrupt()
        events = await events_of_turn(opened)
    assert (events[-1].text, events[-1].outcome) == ("hel", Outcome.INTERRUPTED)
    assert [event.block.text for event in events if isinstance(event, BlockEnded)] == ["hel"]


@pytest.mark.parametrize("whose", [Whose.AGENT, Whose.TURN, Whose.MESSAGE])
async def test_a_scripted_text_fails_as_it_says(tmp_path, clock, whose):
    async with session(tmp_path, clock, scripted=True) as opened:
        await opened.submit(f"fail:{whose}", "s1", Mode.OWN)
        end = (await events_of_turn(opened))[-1]
        assert (end.outcome, end.fault.whose) == (Outcome.FAILED, whose)
        await opened.submit("on", "s2", Mode.OWN)
        assert (await events_of_turn(opened))[-1].text == "echo: on"


async def test_unless_it_is_scripted_it_only_echoes(tmp_path, clock):
    async with session(tmp_path, clock) as opened:
        await opened.submit("fail:turn", "s1", Mode.OWN)
        assert (await events_of_turn(opened))[-1].text == "echo: fail:turn"
