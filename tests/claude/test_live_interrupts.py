"""Interrupting, joining, taking back: how a message meets a running turn of the real claude."""

from __future__ import annotations

import pytest

from relaykit.model import BlockDelta, Mode, Outcome, TurnEnded, TurnJoined

pytestmark = [pytest.mark.live, pytest.mark.anyio]


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def test_an_interrupt_in_text_keeps_what_was_written(claude):
    async with claude.open() as talk:
        await talk.send("gate:nobody-opens:first half second half")
        await talk.until(BlockDelta)
        await talk.session.interrupt()
        ended = await talk.until(TurnEnded)
        assert ended.outcome is Outcome.INTERRUPTED
        assert "first half second half".startswith(ended.text.strip())
        assert ended.text
        assert (await talk.turn("say:next")).text == "next"


async def test_an_interrupt_ends_a_running_command(claude):
    async with claude.open() as talk:
        await talk.send("exec:sleep 600;;say:never")
        await talk.until_tool()
        await talk.session.interrupt()
        assert (await talk.until(TurnEnded)).outcome is Outcome.INTERRUPTED
        assert (await talk.turn("say:next")).text == "next"


@pytest.mark.parity("N-3")
async def test_a_message_joins_at_the_next_boundary_and_one_turn_names_both(claude):
    async with claude.open() as talk:
        first = await talk.send("exec:sleep 1;;say:both")
        await talk.until_tool()
        second = await talk.send("and this", Mode.JOIN)
        ended = await talk.until(TurnEnded)
        assert (ended.submissions, ended.text) == ((first, second), "both")
        assert "and this" in str(claude.stub.requests()[-1]["body"]["messages"])


@pytest.mark.parity("N-3")
async def test_a_message_that_finds_no_boundary_gets_the_next_turn(claude):
    async with claude.open() as talk:
        first = await talk.send("gate:late:a text without a tool")
        await talk.until(BlockDelta)
        second = await talk.send("say:afterwards", Mode.JOIN)
        claude.stub.open_gate("late")
        assert (await talk.until(TurnEnded)).submissions == (first,)
        ended = await talk.until(TurnEnded)
        assert (ended.submissions, ended.text) == ((second,), "afterwards")


@pytest.mark.parity("N-3")
async def test_a_message_that_waits_is_taken_back(claude):
    async with claude.open() as talk:
        first = await talk.send("gate:taken:a text without a tool")
        await talk.until(BlockDelta)
        second = await talk.send("say:never", Mode.JOIN)
        assert await talk.session.withdraw(second)
        assert not await talk.session.withdraw(first)
        claude.stub.open_gate("taken")
        assert (await talk.until(TurnEnded)).submissions == (first,)
        assert (await talk.turn("say:next")).text == "next"
    assert second not in [name for what in talk.all(TurnJoined) for name in what.submissions]


async def test_a_submission_whose_id_was_used_before_is_told_to_be_swallowed(claude):
    async with claude.open() as talk:
        await talk.turn("say:once")
        await talk.session.submit("say:twice", talk.all(TurnEnded)[0].submissions[0], Mode.OWN)
        ended = await talk.until(TurnEnded)
        # Now and then claude says that it begins with it before it finds that it knows the id.
        assert (ended.outcome, ended.fault.code in ("swallowed", "no_result")) == (Outcome.FAILED, True)
        assert (await talk.turn("say:next")).text == "next"
