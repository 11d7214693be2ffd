"""A person goes on with the real claude's session in its own terminal program."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from relaykit.model import Approval, Profile, Secret
from relaykit.plugin import Endpoint, SessionRequest
from relaykit.testing.claude_home import KEY, claude_binary
from relaykit.testing.terminal import terminal
from relaykit_claude.options import Options
from relaykit_claude.terminal import Overrides, join_terminal

pytestmark = pytest.mark.parity("AR-16")
live = pytest.mark.live
PROMPT = "\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT}"


@pytest.fixture
def known(house):
    """A configuration of somebody who has used claude before: it greets nobody, and asks about no key or directory."""
    config = house.claude_home / ".claude.json"
    config.write_text(
        json.dumps(
            {
                "hasCompletedOnboarding": True,
                "theme": "dark",
                "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
                "projects": {str(house.workspace.resolve()): {"hasTrustDialogAccepted": True}},
            }
        ),
        encoding="utf-8",
    )
    return house


@contextmanager
def attached(house):
    env = {**house.program.environment({}), "TERM": "xterm-256color", "HOME": str(house.claude_home)}
    with terminal([sys.executable, "-m", "relaykit", "attach", "main"], env=env, cwd=house.program.cwd) as shown:
        yield shown


def say(shown, text):
    shown.type(text)
    shown.shows(text)
    shown.type("\r")


def agent(house):
    (found,) = house.program("agents", "--json").json["agents"]
    return found


@live
@pytest.mark.parity("AR-17")
def test_the_session_is_handed_over_and_taken_back_with_the_same_history(known):
    with known.run():
        known.program("send", "main", "say:the word is rhubarb", "--wait", "20")
        assert known.program("model", "main", "claude-sonnet-5-5").code == 0
        before = agent(known)
        with attached(known) as shown:
            shown.shows("the word is rhubarb", PROMPT)
            known.program.status("main", reason="attached")
            queued = known.send("main", "say:after the person")
            say(shown, "say:typed by a person")
            shown.until(lambda text: text.count("typed by a person") == 2)
            assert known.delivery(queued)["state"] == "queued"
            command = Path(f"/proc/{shown.pid}/cmdline").read_bytes().split(b"\0")
            assert Path(command[0].decode()).name == "claude", "the command has become the program"
            assert b"--model=claude-sonnet-5-5" in command
            say(shown, "/exit")
            shown.ended()
            assert b"a person has its session" not in shown.raw, "what the relay says is for its own terminal"
        assert known.ended(queued)["state"] == "answered"
        assert (agent(known)["session"], agent(known)["pid"] != before["pid"]) == (before["session"], True)
    last = [entry["body"] for entry in known.stub.requests() if "body" in entry][-1]
    asked, model = json.dumps(last["messages"]), last["model"]
    assert asked.index("the word is rhubarb") < asked.index("typed by a person") < asked.index("after the person")
    assert model == "claude-sonnet-5-5"


@live
def test_a_terminal_that_is_killed_gives_the_session_back_to_the_next_relay_too(known):
    with known.run() as relay:
        known.program("send", "main", "say:hello", "--wait", "20")
        with attached(known) as shown:
            shown.shows("hello", PROMPT)
            relay.kill()
            relay.wait(20)
            queued = known.send("main", "say:after the person")
            with known.program.start("run") as again:
                known.program.status("main", reason="attached")
                shown.kill(signal.SIGKILL)
                assert shown.ended() == -signal.SIGKILL
                assert known.ended(queued)["state"] == "answered"
                again.send_signal(signal.SIGTERM)
                again.wait(20)


def test_the_program_has_the_agents_settings_and_no_secret(tmp_path):
    options = Options(command=claude_binary(), model="opus", effort="high")
    env = {"RELAYKIT_AGENT": "main", "A_TOKEN": "a secret of the profile"}
    request = SessionRequest(agent="main", cwd=tmp_path, approval=Approval.DENY, env=env)
    told = join_terminal(options, request, "s-1", Overrides(), config=tmp_path / "config")
    assert told.argv[1:] == ("--resume=s-1", "--permission-mode=acceptEdits", "--model=opus", "--effort=high")
    assert told.env == {"RELAYKIT_AGENT": "main", "CLAUDE_CONFIG_DIR": str(tmp_path / "config")}
    assert (told.cwd, told.hands_over) == (tmp_path, True)


def told(tmp_path, *, options=None, overrides=None, **request):
    wanted = SessionRequest(**{"agent": "main", "cwd": tmp_path, **request})
    return join_terminal(
        Options(command=claude_binary(), **(options or {})), wanted, "s-1", overrides or Overrides(), config=None
    )


def test_the_program_goes_on_as_the_session_was_told_to(tmp_path):
    begun = {"options": {"model": "opus", "permission_mode": "acceptEdits"}}
    words = told(tmp_path, **begun, overrides=Overrides(model="sonnet", permission_mode="plan")).argv[2:]
    assert words == ("--permission-mode=plan", "--model=sonnet")
    assert told(tmp_path, **begun, overrides=Overrides(model="sonnet")).argv[2:] == (
        "--permission-mode=acceptEdits",
        "--model=sonnet",
    )


def test_the_program_finds_the_session_where_the_relay_has_it_whatever_the_persons_shell_says(tmp_path, monkeypatch):
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", "/of/the/relay")
    assert told(tmp_path).env == {"CLAUDE_CONFIG_DIR": "/of/the/relay"}
    monkeypatch.delenv("CLAUDE_CONFIG_DIR")
    assert told(tmp_path).env == {}


def test_the_program_has_the_agents_own_variables(tmp_path):
    gateway = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:4000"}
    assert told(tmp_path, options={"env": gateway}, env={"A_TOKEN": "a secret"}).env == gateway


def test_the_program_has_the_agents_own_words_for_claude(tmp_path):
    words = ("--add-dir", "../lib")
    assert told(tmp_path, approval=Approval.READ_ONLY, arguments=words).argv[-2:] == words


def test_the_program_is_without_the_tools_that_the_profile_denies(tmp_path):
    profile = Profile(name="p", denied_tools=("shell", "WebFetch"))
    endpoint = Endpoint(url="http://127.0.0.1:1", token=Secret("hush"), tools=pytest.fail)
    (word,) = told(tmp_path, profile=profile, endpoint=endpoint).argv[3:]
    assert json.loads(word.removeprefix("--settings=")) == {"permissions": {"deny": ["Bash", "WebFetch"]}}


def test_the_program_asks_for_every_change_where_the_agent_may_only_read(tmp_path):
    (word,) = told(tmp_path, approval=Approval.READ_ONLY).argv[3:]
    assert {"Bash", "Write"} < set(json.loads(word.removeprefix("--settings="))["permissions"]["ask"])


@live
def test_claude_takes_them(known):
    profile = known.program.cwd / "profiles" / "p" / "profile.toml"
    profile.parent.mkdir(parents=True)
    profile.write_text('denied_tools = ["shell"]\n', encoding="utf-8")
    with known.run(main={"profile": "p"}):
        known.program("send", "main", "say:hello", "--wait", "20")
        with attached(known) as shown:
            shown.shows("hello", PROMPT)
            say(shown, "say:typed by a person")
            shown.until(lambda text: text.count("typed by a person") == 2)
            say(shown, "/exit")
            shown.ended()
    typed = [entry["body"] for entry in known.stub.requests() if entry.get("step") == "say:typed by a person"]
    names = [{tool["name"] for tool in body.get("tools", ())} for body in typed]
    assert any("Read" in some for some in names)
    assert not any("Bash" in some for some in names)
