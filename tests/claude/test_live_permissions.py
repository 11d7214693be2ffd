"""What the real claude asks, answered in every way."""

from __future__ import annotations

import json
import subprocess
from functools import partial

import pytest

from relaykit.errors import ConfigError
from relaykit.model import Approval, BlockKind, Decision, Outcome, PermissionAsked, PermissionClosed, Reply, TurnEnded

pytestmark = [pytest.mark.live, pytest.mark.anyio, pytest.mark.parity("AR-9")]
QUESTIONS = {
    "questions": [
        {
            "question": "Which colour?",
            "header": "Colour",
            "multiSelect": False,
            "options": [{"label": "Red", "description": "r"}, {"label": "Blue", "description": "b"}],
        }
    ]
}


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def asked(talk, script):
    await talk.send(script)
    return (await talk.until(PermissionAsked)).question


async def test_a_command_that_is_approved_runs(claude):
    async with claude.open() as talk:
        question = await asked(talk, "exec:touch made;;say:done")
        assert (question.action, question.title) == ("command", "touch made")
        assert not (claude.cwd / "made").exists()
        await talk.session.decide(question.key, Decision.APPROVE)
        assert (await talk.until(TurnEnded)).text == "done"
        assert talk.all(PermissionClosed) == [PermissionClosed(key=question.key)]
    assert (claude.cwd / "made").exists()


async def test_a_denial_is_told_with_its_reason_and_the_turn_goes_on(claude):
    async with claude.open() as talk:
        question = await asked(talk, "exec:touch made;;say:then not")
        await talk.session.decide(question.key, Decision.DENY, "Not on this branch.")
        assert (await talk.until(TurnEnded)).outcome is Outcome.COMPLETED
        assert talk.blocks(BlockKind.TOOL_RESULT)[0].text == "Not on this branch."
    assert not (claude.cwd / "made").exists()


async def test_an_abort_ends_the_turn(claude):
    async with claude.open() as talk:
        question = await asked(talk, "exec:touch made;;say:never said")
        await talk.session.decide(question.key, Decision.ABORT)
        assert (await talk.until(TurnEnded)).outcome is Outcome.INTERRUPTED
        assert (await talk.turn("say:next")).text == "next"


async def test_what_is_approved_for_the_session_is_not_asked_again(claude):
    async with claude.open() as talk:
        question = await asked(talk, "exec:touch made;;exec:touch made;;say:twice")
        await talk.session.decide(question.key, Decision.APPROVE_FOR_SESSION)
        assert (await talk.until(TurnEnded)).text == "twice"
        assert len(talk.all(PermissionAsked)) == 1
    assert not list(claude.home.rglob("settings.local.json")) + list(claude.cwd.rglob("settings.local.json"))
    async with claude.open() as talk:
        await asked(talk, "exec:touch made;;say:asked again")


@pytest.mark.parametrize("command", ["touch $(echo made)", "for i in 1 2; do touch made$i; done", "touch {out}/made"])
async def test_a_command_that_is_approved_for_the_session_is_not_asked_again_and_all_else_is(claude, tmp_path, command):
    (out := tmp_path / "outside").mkdir()
    command = command.format(out=out)
    async with claude.open() as talk:
        again, others = f"exec:{command};;exec:{command}", [f"write:{out}/new|x", "exec:rm -f other"]
        first = await asked(talk, ";;".join([again, *others, "say:done"]))
        await talk.session.decide(first.key, Decision.APPROVE_FOR_SESSION)
        for _ in others:
            other = (await talk.until(PermissionAsked)).question
            await talk.session.decide(other.key, Decision.DENY)
        assert (await talk.until(TurnEnded)).text == "done"
    assert [one.question.title for one in talk.all(PermissionAsked)] == [command, f"{out}/new", "rm -f other"]


async def test_an_approval_may_change_what_a_tool_is_given(claude):
    async with claude.open() as talk:
        question = await asked(talk, "exec:touch made;;say:done")
        assert question.input["command"] == "touch made"
        await talk.session.reply(question.key, Reply(input={"command": "touch other"}))
        await talk.until(TurnEnded)
    assert [(claude.cwd / name).exists() for name in ("made", "other")] == [False, True]


async def test_a_file_change_is_asked_with_its_content(claude):
    async with claude.open() as talk:
        question = await asked(talk, f"write:{claude.cwd}/new.txt|a new line;;say:written")
        assert (question.action, question.title) == ("file_change", f"{claude.cwd}/new.txt")
        assert "a new line" in question.detail
        await talk.session.decide(question.key, Decision.APPROVE)
        await talk.until(TurnEnded)
    assert (claude.cwd / "new.txt").read_text() == "a new line"


async def test_a_question_is_asked_with_its_choices_and_answered(claude):
    async with claude.open() as talk:
        question = await asked(talk, f"tool:AskUserQuestion|{json.dumps(QUESTIONS)};;say:thanks")
        (choice,) = question.choices
        assert (question.action, choice.question, choice.options) == ("question", "Which colour?", ("Red", "Blue"))
        await talk.session.reply(question.key, Reply(answers=("Blue",)))
        assert (await talk.until(TurnEnded)).text == "thanks"
        assert '"Which colour?"="Blue"' in talk.blocks(BlockKind.TOOL_RESULT)[0].text


async def test_a_question_that_is_approved_without_an_answer_gets_none(claude):
    async with claude.open() as talk:
        question = await asked(talk, f"tool:AskUserQuestion|{json.dumps(QUESTIONS)};;say:by myself")
        await talk.session.decide(question.key, Decision.APPROVE)
        assert (await talk.until(TurnEnded)).text == "by myself"
        assert "Nobody answered" in talk.blocks(BlockKind.TOOL_RESULT)[0].text


@pytest.mark.parametrize(("answer", "asks_for_edits"), [(0, True), (1, False)])
async def test_a_plan_is_shown_and_approved_with_or_without_its_edits(claude, answer, asks_for_edits):
    async with claude.open(options={"permission_mode": "plan"}) as talk:
        question = await asked(
            talk, f'tool:ExitPlanMode|{{"plan": "# do it"}};;write:{claude.cwd}/new.txt|x;;say:carried out'
        )
        assert (question.title, question.detail) == ("carry out its plan", "# do it")
        await talk.session.reply(question.key, Reply(answers=(question.choices[0].options[answer],)))
        if asks_for_edits:
            edit = (await talk.until(PermissionAsked)).question
            await talk.session.decide(edit.key, Decision.APPROVE)
        assert (await talk.until(TurnEnded)).text == "carried out"
    assert (claude.cwd / "new.txt").exists()


async def test_an_interrupt_withdraws_what_is_asked(claude):
    async with claude.open() as talk:
        question = await asked(talk, "exec:touch made;;say:never said")
        await talk.session.interrupt()
        assert (await talk.until(TurnEnded)).outcome is Outcome.INTERRUPTED
        assert talk.all(PermissionClosed) == [PermissionClosed(key=question.key, withdrawn=True)]
        await talk.session.decide(question.key, Decision.APPROVE)
        assert (await talk.turn("say:next")).text == "next"
    assert not (claude.cwd / "made").exists()


async def test_what_an_agent_in_the_background_asks_stays_open_after_the_turn_and_is_answered(claude):
    async with claude.open(options={"background": True}) as talk:
        await talk.send("background:exec:touch made,,say:its report;;slow:1:main done;;say:noted")
        question = (await talk.until(PermissionAsked)).question
        assert (await talk.until(TurnEnded)).text == "main done"
        assert not talk.all(PermissionClosed)
        assert [block.data["status"] for block in talk.blocks(BlockKind.SUBAGENT)] == ["goes on"]
        await talk.session.decide(question.key, Decision.APPROVE)
        assert (await talk.until(TurnEnded)).text == "noted"
        assert [block.data["status"] for block in talk.blocks(BlockKind.SUBAGENT)] == ["completed"]
        assert talk.all(PermissionClosed) == [PermissionClosed(key=question.key)]
    assert (claude.cwd / "made").exists()


async def test_who_may_only_read_is_asked_even_for_what_the_users_rules_allow(claude):
    settings = json.loads((claude.home / "settings.json").read_text())
    rules = {"permissions": {"allow": ["Bash(touch:*)"], "defaultMode": "bypassPermissions"}}
    (claude.home / "settings.json").write_text(json.dumps({**settings, **rules}))
    async with claude.open() as talk:
        assert (await talk.turn("exec:touch allowed;;say:done")).text == "done"
    async with claude.open(approval=Approval.READ_ONLY) as talk:
        assert (await asked(talk, "exec:touch made;;say:no")).title == "touch made"


async def test_who_may_only_read_is_asked_before_a_worktree_is_made(claude):
    run = partial(subprocess.run, cwd=claude.cwd, check=True, capture_output=True)
    run(["git", "init", "-q"])
    run(["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"])
    async with claude.open(approval=Approval.READ_ONLY) as talk:
        question = await asked(talk, 'tool:EnterWorktree|{"name": "wt"};;say:not made')
        assert question.title == "EnterWorktree"
        await talk.session.decide(question.key, Decision.DENY)
        assert (await talk.until(TurnEnded)).text == "not made"
    assert len(run(["git", "worktree", "list"]).stdout.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("--dangerously-skip-permissions",),
        ("--permission-mode", "bypassPermissions"),
        ("--permission-mode=bypassPermissions",),
    ],
)
async def test_no_word_that_switches_asking_off_is_passed_on(claude, words):
    with pytest.raises(ConfigError, match="--approval auto"):
        async with claude.open(arguments=words):
            pass
