"""Turns of the real claude: plain, thinking, tools, subagents, compaction, clear."""

from __future__ import annotations

import pytest

from relaykit.errors import ProviderError
from relaykit.model import (
    Approval,
    BlockDelta,
    BlockKind,
    ErrorRaised,
    Mode,
    Origin,
    Outcome,
    PermissionAsked,
    TurnEnded,
    TurnStarted,
    UsageReported,
)
from relaykit_claude.transcripts import Transcripts

pytestmark = [pytest.mark.live, pytest.mark.anyio]


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def test_three_turns_of_one_session(claude):
    async with claude.open() as talk:
        texts = [(await talk.turn(f"say:{word}")).text for word in ("one", "two", "three")]
        assert texts == ["one", "two", "three"]
        assert talk.provider.capabilities.model


@pytest.mark.parity("SR-2")
async def test_thinking_and_text_come_in_pieces_and_then_whole(claude):
    async with claude.open() as talk:
        ended = await talk.turn("think:let me see|a long enough answer")
        thinking, answer = talk.blocks(BlockKind.THINKING)[0], talk.blocks(BlockKind.ASSISTANT_TEXT)[0]
        pieces = [what.text for what in talk.all(BlockDelta) if what.block == answer.id]
    assert (thinking.text, answer.text, ended.text) == ("let me see", "a long enough answer", "a long enough answer")
    assert len(pieces) > 1
    assert "".join(pieces) == answer.text


@pytest.mark.parity("SR-2")
async def test_a_tool_is_a_use_and_a_result(claude):
    async with claude.open() as talk:
        await talk.turn("exec:echo hi;;say:done")
        (use,), (result,) = talk.blocks(BlockKind.TOOL_USE), talk.blocks(BlockKind.TOOL_RESULT)
    assert (use.name, use.text, use.data["input"]["command"]) == ("Bash", "echo hi", "echo hi")
    assert (result.id, result.text, result.name) == (f"{use.id}:result", "hi", "Bash")


@pytest.mark.parity("AR-15")
async def test_usage_is_told_with_its_cost_and_how_full_the_context_is(claude):
    async with claude.open() as talk:
        await talk.turn("burn:1000|first")
        first = await_usage(talk)
        await talk.turn("say:second")
        second = await_usage(talk)
    assert (first.input_tokens, first.cached_tokens, first.output_tokens) == (1010, 10, 20)
    assert (second.input_tokens, second.context_used) == (110, 111)
    assert first.context_window >= 100_000
    assert 0 < second.cost_usd < first.cost_usd
    assert (first.confidence, bool(first.source)) == ("reported", True)


def await_usage(talk):
    return talk.all(UsageReported)[-1]


async def test_a_foreground_subagent_has_a_conversation_of_its_own(claude):
    async with claude.open() as talk:
        ended = await talk.turn("agent:exec:echo inner,,say:its report;;say:main done")
        (agent,) = talk.blocks(BlockKind.SUBAGENT)
        inner = [block for block in talk.blocks() if block.conversation == agent.id]
    assert ended.text == "main done"
    assert (agent.name, agent.data["status"]) == ("general-purpose", "completed")
    assert [block.kind for block in inner] == [
        BlockKind.USER_MESSAGE,
        BlockKind.TOOL_USE,
        BlockKind.TOOL_RESULT,
        BlockKind.ASSISTANT_TEXT,
    ]
    assert inner[-1].text == "its report"


async def test_background_tasks_are_off_unless_an_option_asks_for_them(claude):
    async with claude.open() as talk:
        assert (await talk.turn("background:say:its report;;say:main done")).text == "main done"
        assert talk.blocks(BlockKind.SUBAGENT)[0].data["background"] is False


async def test_the_end_of_background_work_is_a_turn_of_its_own_that_answers_nobody(claude):
    async with claude.open(options={"background": True}) as talk:
        submission = await talk.send("background:slow:1:its report;;say:main done;;say:noted")
        first = await talk.until(TurnEnded)
        assert (first.text, first.submissions) == ("main done", (submission,))
        unasked = await talk.until(TurnStarted)
        second = await talk.until(TurnEnded)
        assert (unasked.origin, second.turn, second.submissions) == (Origin.PROVIDER, unasked.turn, ())
        (origin,) = [what.data for what in talk.heard if getattr(what, "name", "") == "turn_origin"]
        assert origin["kind"] == "task-notification"


async def test_compaction_by_hand_leaves_the_session_usable(claude):
    async with claude.open() as talk:
        await talk.turn("say:first")
        await talk.turn("say:second")
        await talk.session.compact()
        ended = await talk.until(TurnEnded)
        assert (ended.outcome, ended.submissions) == (Outcome.COMPLETED, ())
        assert "compaction" in [block.name for block in talk.blocks(BlockKind.SYSTEM)]
        assert (await talk.turn("say:third")).text == "third"


async def test_compaction_by_itself_is_told_inside_the_turn_that_caused_it(claude):
    async with claude.open(options={"env": {"CLAUDE_CODE_AUTO_COMPACT_WINDOW": "100000"}}) as talk:
        for number in range(4):
            await talk.turn(f"say:turn {number}")
        await talk.turn("burn:95000|big")
        ended = await talk.turn("say:after")
        (compaction,) = [block for block in talk.blocks(BlockKind.SYSTEM) if block.name == "compaction"]
    assert (ended.text, compaction.turn, compaction.data["trigger"]) == ("after", ended.turn, "auto")


async def test_clear_begins_another_session_of_the_same_claude(claude):
    async with claude.open() as talk:
        before = talk.session.id
        await talk.turn("say:secret word")
        assert (await talk.turn("/clear")).outcome is Outcome.COMPLETED
        assert (await talk.turn("say:after")).text == "after"
        after = talk.session.id
        assert await talk.session.history(after)
    assert before != after
    async with claude.open(resume=after) as talk:
        assert talk.session.id == after
        await talk.turn("say:goes on")
        assert "secret word" not in str(claude.stub.requests()[-1]["body"])


async def test_a_turn_limit_fails_the_turn_and_not_the_session(claude):
    async with claude.open(options={"max_turns": 1}) as talk:
        ended = await talk.turn("exec:echo a;;say:never")
        assert (ended.outcome, ended.fault.code) == (Outcome.FAILED, "error_max_turns")
        assert (await talk.turn("say:next")).outcome is Outcome.COMPLETED


async def test_the_model_changes_while_the_session_runs(claude):
    async with claude.open() as talk:
        await talk.turn("say:one")
        await talk.session.set_model("claude-sonnet-5-5")
        await talk.turn("say:two")
        assert claude.stub.requests()[-1]["body"]["model"] == "claude-sonnet-5-5"
        assert talk.provider.capabilities.model == "claude-sonnet-5-5"
        assert "--model=claude-sonnet-5-5" in talk.session.terminal().argv


async def test_the_permission_mode_changes_while_the_session_runs_but_to_none_that_asks_for_nothing(claude):
    made = claude.cwd / "made"
    async with claude.open() as talk:
        with pytest.raises(
            ProviderError, match="'bypassPermissions' is no permission mode of this agent; it can be def"
        ):
            await talk.session.set_permission_mode("bypassPermissions")
        await talk.session.set_permission_mode("acceptEdits")
        await talk.turn(f"write:{made}|by itself;;say:written")
        assert (made.read_text(), talk.all(PermissionAsked)) == ("by itself", [])
        assert "--permission-mode=acceptEdits" in talk.session.terminal().argv
    async with claude.open(approval=Approval.READ_ONLY) as talk:
        with pytest.raises(ProviderError, match="it can be default, plan"):
            await talk.session.set_permission_mode("acceptEdits")


async def test_effort_and_instructions_reach_the_model(claude):
    options = {"model": "claude-opus-5-5", "effort": "low"}
    async with claude.open(options=options, instructions="Never push.") as talk:
        await talk.turn("say:one")
        body = claude.stub.requests()[-1]["body"]
    assert body["output_config"]["effort"] == "low"
    assert "Never push." in str(body["system"])


@pytest.mark.parity("SR-10")
async def test_the_transcript_has_the_same_blocks_with_the_same_ids(claude):
    async with claude.open() as talk:
        await talk.turn("think:hm|thought")
        submission = await talk.send("exec:sleep 1;;say:both")
        await talk.until_tool()
        joined = await talk.send("say:more", Mode.JOIN)
        ended = await talk.until(TurnEnded)
        assert set(ended.submissions) == {submission, joined}
        await talk.turn("agent:exec:echo inner,,say:its report;;say:main done")
        live, session = talk.blocks(), talk.session.id
    read = await Transcripts(claude.home, claude.home).blocks(session)
    assert sorted(map(shown, read)) == sorted(map(shown, live))


def shown(block):
    return block.id, block.kind, block.turn, block.name, block.text, block.conversation


async def test_what_the_api_refused_is_no_part_of_the_conversation(claude):
    async with claude.open() as talk:
        await talk.turn("http:400")
        assert [block.kind for block in talk.blocks()] == [BlockKind.USER_MESSAGE]
        assert talk.all(ErrorRaised)
