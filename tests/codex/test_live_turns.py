from __future__ import annotations

import anyio
import pytest

from relaykit.model import (
    BlockDelta,
    BlockKind,
    BlockStarted,
    Mode,
    Origin,
    Outcome,
    TurnEnded,
    TurnJoined,
    TurnStarted,
    UsageReported,
)

pytestmark = [pytest.mark.anyio, pytest.mark.live, pytest.mark.parametrize("connect", ["stdio", "socket"])]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.parity("AR-18")
async def test_a_turn_is_started_seen_and_answered(codex):
    async with codex.open() as talk:
        ended = await talk.turn("say:hello there friend")
    submission = ended.submissions[0]
    assert (ended.text, ended.outcome, ended.fault) == ("hello there friend", Outcome.COMPLETED, None)
    assert talk.all(TurnStarted) == [TurnStarted(turn=ended.turn, origin=Origin.SUBMISSION)]
    assert talk.all(TurnJoined) == [TurnJoined(turn=ended.turn, submissions=(submission,))]
    assert talk.blocks(BlockKind.USER_MESSAGE)[0].data == {"submission": submission}


@pytest.mark.parity("SR-3")
async def test_text_comes_in_pieces_that_make_up_the_whole(codex):
    async with codex.open() as talk:
        await talk.turn("say:one two three four five")
    pieces = [delta.text for delta in talk.all(BlockDelta)]
    assert len(pieces) > 1
    assert "".join(pieces) == talk.blocks(BlockKind.ASSISTANT_TEXT)[0].text == "one two three four five"


@pytest.mark.parity("SR-2")
async def test_reasoning_comes_before_the_answer_and_is_no_part_of_it(codex):
    async with codex.open() as talk:
        ended = await talk.turn("reason:let me think|forty-two")
    assert ended.text == "forty-two"
    assert [block.text for block in talk.blocks(BlockKind.THINKING)] == ["let me think"]


@pytest.mark.parity("SR-2")
async def test_a_command_is_a_use_and_a_result_with_its_exit_code(codex):
    async with codex.open() as talk:
        ended = await talk.turn("exec:echo from the shell; exit 3;;say:ran it")
    (use,), (result,) = talk.blocks(BlockKind.TOOL_USE), talk.blocks(BlockKind.TOOL_RESULT)
    assert (use.name, use.text) == ("shell", "echo from the shell; exit 3")
    assert "from the shell" in result.text
    assert result.data["exit_code"] == 3
    assert ended.text == "ran it"


@pytest.mark.parity("SR-2")
async def test_a_file_is_changed_in_the_workspace_and_the_diff_is_told(codex):
    async with codex.open() as talk:
        await talk.turn("patch:notes.txt|first line;;say:done")
    (use,) = talk.blocks(BlockKind.TOOL_USE)
    assert (codex.cwd / "notes.txt").read_text() == "first line\n"
    assert use.name == "file_change"
    assert f"add {codex.cwd}/notes.txt\nfirst line" in use.text


async def test_usage_is_told_once_for_each_answer_of_the_model(codex):
    async with codex.open() as talk:
        await talk.turn("exec:true;;burn:5000|used")
    usage = talk.all(UsageReported)
    assert [(one.input_tokens, one.output_tokens, one.context_used) for one in usage] == [
        (100, 20, 120),
        (5000, 20, 5020),
    ]
    assert all(one.context_window and one.source == "codex" for one in usage)


@pytest.mark.parity("AR-18")
async def test_a_message_joins_the_running_turn_and_cuts_its_text(codex, stub):
    async with codex.open() as talk:
        first = await talk.send("gate:never-opened:the text that is cut")
        await talk.until(BlockDelta)
        second = await talk.send("say:steered answer", Mode.JOIN)
        ended = await talk.until(TurnEnded)
        assert ended.submissions == (first, second)
        assert ended.text == "steered answer"
        cut, whole = talk.blocks(BlockKind.ASSISTANT_TEXT)
        assert cut.data == {"status": "cut off"}
        assert "the text that is cut".startswith(cut.text)
        assert whole.text == "steered answer"


async def test_a_message_sent_right_behind_another_joins_its_turn(codex):
    async with codex.open() as talk:
        first = await talk.send("gate:never-opened:on and on")
        second = await talk.send("say:both", Mode.JOIN)
        ended = await talk.until(TurnEnded)
    assert ended.submissions == (first, second)


async def test_joining_when_nothing_runs_begins_a_turn(codex):
    async with codex.open() as talk:
        submission = await talk.send("say:alone", Mode.JOIN)
        ended = await talk.until(TurnEnded)
    assert (ended.submissions, ended.text) == ((submission,), "alone")


async def test_a_second_turn_waits_for_the_first_and_never_steers_it(codex, stub):
    async with codex.open() as talk, anyio.create_task_group() as tasks:
        first = await talk.send("gate:second-turn:first")
        await talk.until(BlockStarted)
        tasks.start_soon(talk.session.submit, "say:second", "second", Mode.OWN)
        await talk.until(BlockDelta)
        stub.open_gate("second-turn")
        one = await talk.until(TurnEnded)
        two = await talk.until(TurnEnded)
    assert (one.submissions, one.text) == ((first,), "first")
    assert (two.submissions, two.text) == (("second",), "second")


async def test_two_sessions_run_at_once_and_do_not_mix(codex, tmp_path):
    async with codex.open() as one, codex.open() as two:
        first, second = await one.send("say:for one"), await two.send("say:for two")
        ended = await one.until(TurnEnded), await two.until(TurnEnded)
    assert [(turn.submissions, turn.text) for turn in ended] == [((first,), "for one"), ((second,), "for two")]
    assert one.session.id != two.session.id
    assert one.session.pid != two.session.pid


async def test_compaction_is_waited_for_and_leaves_the_session_usable(codex):
    async with codex.open() as talk:
        await talk.turn("say:remember this")
        await talk.session.compact()
        compaction = await talk.until(TurnEnded)
        assert talk.all(TurnStarted)[-1].origin is Origin.PROVIDER
        assert compaction.submissions == ()
        assert [block.name for block in talk.blocks(BlockKind.SYSTEM)] == ["compaction"]
        assert (await talk.turn("say:still here")).text == "still here"


async def test_instructions_and_settings_reach_the_model(codex, stub):
    async with codex.open(instructions="Never push.", options={"effort": "low"}) as talk:
        assert (talk.provider.capabilities.model, talk.provider.capabilities.effort) == ("gpt-5.5", "low")
        await talk.turn("say:noted")
    asked = [entry["body"] for entry in stub.requests() if entry.get("step") == "say:noted"][-1]
    assert "Never push." in str(asked["input"])
    assert asked["reasoning"]["effort"] == "low"
