"""Going on after a death: of the real claude, and of whoever held it."""

from __future__ import annotations

import fcntl
import os
import signal

import pytest

from relaykit.errors import ProviderError
from relaykit.model import BlockDelta, BlockKind, ErrorRaised, Mode, Outcome, TurnEnded

pytestmark = [pytest.mark.live, pytest.mark.anyio]


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def past(talk, session, submission):
    turns = await talk.session.history(session)
    return next((turn for turn in turns if submission in turn.submissions), None)


async def killed(talk):
    os.kill(talk.session.pid, signal.SIGKILL)
    ended = await talk.until(TurnEnded)
    assert (ended.by, ended.outcome) == ("process", Outcome.INTERRUPTED)
    return talk.session.id


@pytest.mark.parity("N-6")
async def test_a_session_goes_on_where_it_was_left(claude):
    async with claude.open() as talk:
        await talk.turn("say:the first")
        session = talk.session.id
    async with claude.open(resume=session) as talk:
        assert (await talk.turn("say:the second")).text == "the second"
        assert "the first" in str(claude.stub.requests()[-1]["body"]["messages"])


async def test_a_turn_that_was_cut_off_in_a_command_is_known_as_begun(claude):
    async with claude.open() as talk:
        await talk.turn("say:hello")  # as below
        submission = await talk.send("exec:sleep 600;;say:never")
        await talk.until_tool()
        session = await killed(talk)
    async with claude.open(resume=session) as talk:
        found = await past(talk, session, submission)
        assert (found.outcome, found.worked) == (None, True)
        assert (await talk.turn("say:goes on")).text == "goes on"
        assert (await past(talk, session, submission)).outcome is not Outcome.COMPLETED


async def test_a_turn_that_was_cut_off_in_its_text_is_begun_or_unknown(claude):
    async with claude.open() as talk:
        await talk.turn("say:hello")  # as below
        submission = await talk.send("gate:nobody-opens:some text")
        await talk.until(BlockDelta)
        session = await killed(talk)
    async with claude.open(resume=session) as talk:
        found = await past(talk, session, submission)  # claude writes a moment late, and nothing was done yet
        assert found is None or found.outcome is None


async def test_a_message_that_joined_mid_tool_is_found_in_history(claude):
    async with claude.open() as talk:
        await talk.send("exec:sleep 1;;exec:sleep 600;;say:never")
        await talk.until_tool()
        joined = await talk.send("and this", Mode.JOIN)
        await talk.until_tool()
        session = await killed(talk)
    async with claude.open(resume=session) as talk:
        assert (await past(talk, session, joined)).outcome is None


async def test_messages_that_waited_and_had_one_turn_are_all_found_in_history(claude):
    async with claude.open() as talk:
        await talk.send("gate:opened-later:a text")
        await talk.until(BlockDelta)
        waited = [await talk.send("say:one", Mode.JOIN), await talk.send("say:two", Mode.JOIN)]
        claude.stub.open_gate("opened-later")
        await talk.until(TurnEnded)
        ended = await talk.until(TurnEnded)
        assert set(ended.submissions) == set(waited)
        session = talk.session.id
    async with claude.open(resume=session) as talk:
        found = [await past(talk, session, one) for one in waited]
        assert [(one.outcome, one.text) for one in found] == [(Outcome.COMPLETED, ended.text)] * 2


async def test_a_message_that_only_waited_is_not_in_history(claude):
    async with claude.open() as talk:
        await talk.turn("say:hello")  # else claude may die before it has written anything of the session down
        await talk.send("gate:nobody-opens:some text")
        await talk.until(BlockDelta)
        waited = await talk.send("say:never", Mode.JOIN)
        session = await killed(talk)
    async with claude.open(resume=session) as talk:
        assert await past(talk, session, waited) is None


NOTES = [
    "<bash-x> is broken",
    "<task-notification> hi",
    "<command-name> x",
    "<local-command-x",
    "[Request interrupted by user] ?",
]


async def test_a_message_that_begins_like_a_note_of_claudes_is_a_message_live_and_in_history(claude):
    async with claude.open() as talk:
        await talk.turn("say:hello")
        ended = [await talk.turn(words) for words in NOTES]
        session, sent = talk.session.id, [one.submissions[0] for one in ended]
        assert [block.text for block in talk.blocks(BlockKind.USER_MESSAGE)] == ["say:hello", *NOTES]
    async with claude.open(resume=session) as talk:
        found = [await past(talk, session, one) for one in sent]
        assert [(one.outcome, one.text) for one in found] == [(Outcome.COMPLETED, one.text) for one in ended]
        blocks = await talk.session.conversation(session)
        assert [one.text for one in blocks if one.kind is BlockKind.USER_MESSAGE] == ["say:hello", *NOTES]


async def test_a_failed_and_an_interrupted_turn_are_read_as_such(claude):
    async with claude.open() as talk:
        failed = await talk.send("http:400")
        await talk.until(TurnEnded)
        interrupted = await talk.send("gate:nobody-opens:some text")
        await talk.until(BlockDelta)
        await talk.session.interrupt()
        await talk.until(TurnEnded)
        found = await past(talk, talk.session.id, failed)
        assert (found.outcome, found.fault.code, found.worked) == (Outcome.FAILED, "api_error:400", False)
        assert (await past(talk, talk.session.id, interrupted)).outcome is Outcome.INTERRUPTED


async def test_a_session_that_was_never_given_anything_goes_on_under_its_id(claude):
    async with claude.open() as talk:
        session = talk.session.id
    async with claude.open(resume=session) as talk:
        assert talk.session.id == session
        assert await talk.session.history(session) == ()
        assert (await talk.turn("say:first")).text == "first"


async def test_two_cannot_carry_one_session(claude):
    async with claude.open() as talk:
        await talk.turn("say:hello")
        with pytest.raises(ProviderError, match="is carried by another"):
            async with claude.open(resume=talk.session.id):
                pass


async def test_two_cannot_carry_the_session_that_a_clear_began(claude):
    async with claude.open() as talk:
        await talk.turn("say:hello")
        old = talk.session.id
        await talk.turn("/clear")
        await talk.turn("say:anew")
        assert talk.session.id != old
        with pytest.raises(ProviderError, match="is carried by another"):
            async with claude.open(resume=talk.session.id):
                pass
    async with claude.open(resume=talk.session.id) as again:
        assert (await again.turn("say:goes on")).text == "goes on"


async def test_a_cleared_session_that_another_carries_is_told_as_a_fault(claude, monkeypatch):
    async with claude.open() as talk:
        await talk.turn("say:hello")

        def held(lock, how):
            raise BlockingIOError

        monkeypatch.setattr(fcntl, "flock", held)  # nobody knows the new id before claude does
        await talk.turn("/clear")
        assert [one.fault.code for one in talk.all(ErrorRaised)] == ["in_use"]


@pytest.mark.parity("N-6")
async def test_new_sessions_begin_with_the_history_that_is_forked(claude):
    async with claude.open() as talk:
        await talk.turn("say:the trunk")
        trunk = talk.session.id
    async with claude.open(options={"fork": trunk}) as talk:
        assert talk.session.id != trunk
        await talk.turn("say:the branch")
        assert "the trunk" in str(claude.stub.requests()[-1]["body"]["messages"])
        assert talk.blocks(BlockKind.ASSISTANT_TEXT)[-1].text == "the branch"
    async with claude.open(resume=talk.session.id, options={"fork": trunk}) as again:
        assert again.session.id == talk.session.id
