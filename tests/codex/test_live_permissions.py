from __future__ import annotations

import sys

import pytest

from relaykit.model import (
    Approval,
    BlockKind,
    Decision,
    Outcome,
    PermissionAsked,
    PermissionClosed,
    ProviderNote,
    TurnEnded,
)

pytestmark = [pytest.mark.anyio, pytest.mark.live, pytest.mark.parametrize("connect", ["stdio", "socket"])]

MCP_SERVER = """\
import json, sys
TOOL = {"name": "shout", "description": "Says it louder", "inputSchema": {"type": "object"}}
RESULTS = {
    "initialize": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "s", "version": "1"}},
    "tools/list": {"tools": [TOOL]},
    "tools/call": {"content": [{"type": "text", "text": "LOUDER"}]},
}
for line in sys.stdin:
    asked = json.loads(line)
    if "id" in asked:
        result = RESULTS.get(asked["method"], {})
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
"""


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def outside(tmp_path, codex):
    """A file beyond the workspace. Below the temporary directory the sandbox would let it be written."""
    return codex.home / "outside.txt"


def outputs(stub):
    """Return what the model was told of its tools; of a command that the sandbox stops codex tells nobody else."""
    items = [item for entry in stub.requests() if "body" in entry for item in entry["body"]["input"]]
    return [str(item["output"]) for item in items if item.get("type") == "function_call_output"]


async def ready(talk):
    """Wait until the tools' server runs: a turn that is quicker goes without it."""
    while (await talk.until(ProviderNote, name="mcpServer/startupStatus/updated")).data["status"] != "ready":
        pass


async def asked(talk, script):
    await talk.send(script)
    return (await talk.until(PermissionAsked)).question


@pytest.mark.parity("AR-9")
async def test_an_approved_command_leaves_the_sandbox(codex, outside):
    async with codex.open() as talk:
        question = await asked(talk, f"esc:touch {outside};;say:done")
        assert (question.action, question.title) == ("command", f"touch {outside}")
        assert question.detail == f"stub asks to leave the sandbox\nin {codex.cwd}"
        assert not outside.exists()
        await talk.session.decide(question.key, Decision.APPROVE)
        ended = await talk.until(TurnEnded)
    assert outside.exists()
    assert (ended.text, question.turn) == ("done", ended.turn)
    assert talk.all(PermissionClosed) == [PermissionClosed(key=question.key)]


@pytest.mark.parity("AR-9")
async def test_a_denied_command_is_not_run_and_the_turn_goes_on(codex, outside):
    async with codex.open() as talk:
        question = await asked(talk, f"esc:touch {outside};;say:then not")
        await talk.session.decide(question.key, Decision.DENY)
        ended = await talk.until(TurnEnded)
    assert not outside.exists()
    assert (ended.outcome, ended.text) == (Outcome.COMPLETED, "then not")
    assert talk.blocks(BlockKind.TOOL_RESULT)[0].data["status"] == "declined"


@pytest.mark.parity("AR-9")
async def test_an_aborted_command_ends_the_turn(codex, outside):
    async with codex.open() as talk:
        question = await asked(talk, f"esc:touch {outside};;say:never said")
        await talk.session.decide(question.key, Decision.ABORT)
        ended = await talk.until(TurnEnded)
        assert ended.outcome is Outcome.INTERRUPTED
        assert (await talk.turn("say:next")).text == "next"
    assert not outside.exists()


@pytest.mark.parity("AR-9")
async def test_what_is_approved_for_the_session_is_not_asked_again(codex, outside):
    async with codex.open() as talk:
        question = await asked(talk, f"esc:touch {outside};;say:once")
        await talk.session.decide(question.key, Decision.APPROVE_FOR_SESSION)
        await talk.until(TurnEnded)
        outside.unlink()
        await talk.turn(f"esc:touch {outside};;say:twice")
        assert outside.exists()
        await asked(talk, f"esc:touch {outside} {outside}.2;;say:thrice")
    assert len(talk.all(PermissionAsked)) == 2


async def test_a_file_change_is_asked_with_its_diff(codex, outside):
    async with codex.open() as talk:
        question = await asked(talk, f"patch:{outside}|a new line;;say:changed")
        assert (question.action, question.title) == ("file_change", str(outside))
        assert f"add {outside}\na new line\n" in question.detail
        await talk.session.decide(question.key, Decision.APPROVE)
        ended = await talk.until(TurnEnded)
    assert outside.read_text() == "a new line\n"
    assert ended.text == "changed"


async def test_a_denied_file_change_changes_nothing(codex, outside):
    async with codex.open() as talk:
        question = await asked(talk, f"patch:{outside}|a new line;;say:as you wish")
        await talk.session.decide(question.key, Decision.DENY)
        assert (await talk.until(TurnEnded)).text == "as you wish"
    assert not outside.exists()


async def test_a_read_only_agent_asks_before_it_writes_in_its_workspace(codex):
    async with codex.open(approval=Approval.READ_ONLY) as talk:
        question = await asked(talk, "patch:notes.txt|written;;say:could not")
        await talk.session.decide(question.key, Decision.DENY)
        await talk.until(TurnEnded)
    assert not (codex.cwd / "notes.txt").exists()


async def test_a_command_of_a_read_only_agent_cannot_write(codex, stub):
    async with codex.open(approval=Approval.READ_ONLY) as talk:
        await talk.turn("exec:touch written;;say:tried")
    assert not (codex.cwd / "written").exists()
    assert "Read-only file system" in outputs(stub)[-1]


async def test_a_question_that_an_interrupt_overtakes_is_withdrawn(codex, outside):
    async with codex.open() as talk:
        question = await asked(talk, f"esc:touch {outside};;say:never said")
        await talk.session.interrupt()
        closed = await talk.until(PermissionClosed)
        assert closed == PermissionClosed(key=question.key, withdrawn=True)
        assert [turn.outcome for turn in talk.all(TurnEnded)] == [Outcome.INTERRUPTED]
        await talk.session.decide(question.key, Decision.APPROVE)  # too late, and passed over
        assert (await talk.turn("say:next")).text == "next"
    assert not outside.exists()


@pytest.fixture
def tools(tmp_path):
    server = tmp_path / "mcp_server.py"
    server.write_text(MCP_SERVER, encoding="utf-8")
    # to models that it knows, codex offers such tools through a search of its own
    return {"model": "stub-model", "config": {"mcp_servers.loud": {"command": sys.executable, "args": [str(server)]}}}


async def test_a_tool_of_an_mcp_server_is_asked_for_by_its_name(codex, tools):
    async with codex.open(options=tools) as talk:
        await ready(talk)
        question = await asked(talk, 'tool:shout|{"word":"hush"};;say:said')
        assert (question.action, question.title) == ("tool", "loud.shout")
        assert '"word": "hush"' in question.detail
        await talk.session.decide(question.key, Decision.APPROVE_FOR_SESSION)
        await talk.until(TurnEnded)
        assert (await talk.turn('tool:shout|{"word":"again"};;say:unasked')).text == "unasked"
    use, result = talk.blocks(BlockKind.TOOL_USE)[0], talk.blocks(BlockKind.TOOL_RESULT)[0]
    assert (use.name, use.data["input"], result.text) == ("loud.shout", {"word": "hush"}, "LOUDER")
    assert len(talk.all(PermissionAsked)) == 1


@pytest.mark.parametrize("decision", [Decision.DENY, Decision.ABORT])
async def test_a_tool_that_is_not_approved_is_not_called(codex, tools, decision):
    async with codex.open(options=tools) as talk:
        await ready(talk)
        question = await asked(talk, 'tool:shout|{"word":"hush"};;say:done without')
        await talk.session.decide(question.key, decision)
        ended = await talk.until(TurnEnded)
    assert not any(block.text == "LOUDER" for block in talk.blocks(BlockKind.TOOL_RESULT))
    assert ended.outcome is (Outcome.COMPLETED if decision is Decision.DENY else Outcome.INTERRUPTED)
