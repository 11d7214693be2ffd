"""What a session is equipped with: tools, hooks and skills of the relay, against a small server on loopback."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

import relaykit_claude.report
from relaykit.model import Approval, BlockKind, Decision, PermissionAsked, Profile, Secret, TurnEnded, TurnStarted
from relaykit.plugin import Endpoint, SessionRequest
from relaykit_claude.equipment import equip
from relaykit_claude.tools import EVENTS

SECONDS = 20
MOMENT = 1
"""In which a turn that does not wait has begun, many times over."""


def request(tmp_path, **more):
    return SessionRequest(agent="main", cwd=tmp_path, **more)


def test_the_token_is_in_files_of_mode_0600_and_never_in_the_words(tmp_path, relay):
    with equip(request(tmp_path, endpoint=relay.endpoint), tmp_path / "home") as equipment:
        token = relay.endpoint.token.reveal()
        assert token not in str(equipment.words)
        files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        assert len([path for path in files if token in path.read_text()]) == 2
        folders = [path for path in (tmp_path / "home").rglob("*") if path.is_dir()]
        assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file()] == []


def test_what_a_killed_relay_left_behind_is_written_anew(tmp_path, relay):
    (tmp_path / "home/session/plugin").mkdir(parents=True)
    (tmp_path / "home/session/mcp.json").write_text("of another time")
    with equip(request(tmp_path, endpoint=relay.endpoint), tmp_path / "home") as equipment:
        assert equipment.words


def test_without_an_endpoint_nothing_is_added(tmp_path):
    with equip(request(tmp_path), tmp_path / "home") as equipment:
        assert (equipment.words, equipment.env) == ((), {})


def test_who_may_only_read_is_always_asked_whatever_the_users_rules_say(tmp_path):
    with equip(request(tmp_path, approval=Approval.READ_ONLY), tmp_path / "home") as equipment:
        (word,) = equipment.words
        rules = json.loads(Path(word.partition("=")[2]).read_text())["permissions"]
    assert "Bash" in rules["ask"]
    assert "Write" in rules["ask"]


def test_what_it_is_sent_may_be_read_whatever_the_path_is_called(tmp_path):
    with equip(request(tmp_path, attachments=Path("/a [b]/c*")), tmp_path / "home") as equipment:
        (word,) = equipment.words
        rules = json.loads(Path(word.partition("=")[2]).read_text())["permissions"]
    assert rules == {"allow": [r"Read(//a \[b\]/c\*/**)"]}


def run_report(endpoint, told=b"{}"):
    program = [sys.executable, "-I", "-S", relaykit_claude.report.__file__, "SessionStart", str(endpoint)]
    return subprocess.run(program, input=told, capture_output=True, timeout=SECONDS, check=False)


@pytest.mark.parametrize("content", [None, "no json", "{}", '{"url": "http://127.0.0.1:1", "token": "t"}', "[]"])
def test_a_hook_that_cannot_reach_the_relay_says_nothing_and_fails_nothing(tmp_path, content):
    endpoint = tmp_path / "endpoint.json"
    if content is not None:
        endpoint.write_text(content)
    done = run_report(endpoint)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_hook_reports_what_it_was_told(tmp_path, relay):
    with equip(request(tmp_path, endpoint=relay.endpoint), tmp_path / "home"):
        done = run_report(tmp_path / "home/session/endpoint.json", b'{"session_id": "s"}')
    assert (done.returncode, relay.until("SessionStart")) == (0, {"session_id": "s"})


@pytest.mark.live
@pytest.mark.parity("AR-19")
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_hooks_of_a_session_reach_the_relay(claude, relay):
    async with claude.open(endpoint=relay.endpoint) as talk:
        await talk.turn("agent:say:its report;;say:main done")
        await talk.session.compact()
        session = talk.session.id
        await anyio.to_thread.run_sync(relay.until, "SessionStart")  # its report is a program's, which ends with claude
    for event in ("SessionStart", "SubagentStart", "SubagentStop", "PreCompact", "PostCompact", "SessionEnd"):
        told = await anyio.to_thread.run_sync(relay.until, event)
        assert (told["hook_event_name"], told["session_id"]) == (event, session)
    assert {event for event, _ in relay.reports} <= set(EVENTS)
    started = [told["source"] for event, told in relay.reports if event == "SessionStart"]
    assert started == ["compact"], "what the relay has begun itself is not reported to it"


@pytest.mark.live
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(
    ("name", "asks"),
    [
        *((name, False) for name in ("main", "a (b) [c] {d}, #e!", "!f*", "#g", "Read(h)", "i'\"j", "é ü", "$HOME")),
        *((name, True) for name in ("k?", "l\\m")),  # Claude has no way to say that one of these is meant
    ],
)
async def test_what_it_is_sent_may_be_read_in_a_home_of_any_name_and_what_is_denied_stays_denied(
    claude, tmp_path, name, asks
):
    place = tmp_path / name
    place.mkdir()
    (place / "log").write_text("the words of the log")
    (tmp_path / "other").write_text("of somebody else")
    profile = Profile(name="p", denied_tools=("Bash",))
    async with claude.open(attachments=place, approval=Approval.DENY, profile=profile) as talk:
        for path, refused in ((place / "log", asks), (tmp_path / "other", True)):
            await talk.send(f"tool:Read|{json.dumps({'file_path': str(path)})};;say:done")
            if refused:
                asked = await talk.until(PermissionAsked)
                await talk.session.decide(asked.question.key, Decision.DENY)
            await talk.until(TurnEnded)
        offered = {tool["name"] for tool in claude.stub.requests()[-1]["body"]["tools"]}
    results = [block.text for block in talk.blocks(BlockKind.TOOL_RESULT)]
    assert ["the words of the log" in text for text in results] == [not asks, False]
    assert "Bash" not in offered


@pytest.mark.live
@pytest.mark.parity("AR-19", "N-5")
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_session_calls_the_relays_tools_unasked_and_has_its_skills(claude, relay):
    async with claude.open(endpoint=relay.endpoint) as talk:
        ended = await talk.turn('tool:mcp__relaykit__reply|{"message": "m1"};;say:replied')
        (result,) = talk.blocks(BlockKind.TOOL_RESULT)
        assert (ended.text, result.text) == ("replied", "it was delivered")
        assert str(claude.stub.requests()[-1]["body"]).count("relaykit:read-message")
    assert relay.calls[0]["arguments"] == {"message": "m1"}


@pytest.mark.live
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_first_turn_waits_for_the_tools_and_has_them(claude, relay):
    relay.listing.clear()
    async with claude.open(endpoint=relay.endpoint) as talk:
        await talk.send("say:hello")
        with anyio.move_on_after(MOMENT):
            await talk.until(TurnStarted)
        assert talk.all(TurnStarted) == []
        relay.listing.set()
        await talk.until(TurnEnded)
    offered = {tool["name"] for tool in claude.stub.requests()[-1]["body"]["tools"]}
    assert "mcp__relaykit__reply" in offered


@pytest.mark.live
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_relay_whose_edge_is_not_there_harms_no_session(claude, relay):
    gone = Endpoint(url="http://127.0.0.1:1", token=Secret("t"), tools=relay.tools)
    async with claude.open(endpoint=gone) as talk:
        assert (await talk.turn("say:fine all the same")).text == "fine all the same"
