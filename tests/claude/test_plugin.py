"""The component: which claude is found, what it is started with, and what is refused at once."""

from __future__ import annotations

import sys

import pytest
from msgspec.structs import replace

from relaykit.errors import ConfigError, ProviderError
from relaykit.model import Approval, Secret, Whose
from relaykit.plugin import SessionRequest
from relaykit.testing.claude_home import claude_binary
from relaykit_claude import CLAUDE
from relaykit_claude.launch import arguments, environment, find_claude, permission_mode
from relaykit_claude.options import Options


@pytest.fixture
def request_(tmp_path):
    return SessionRequest(agent="main", cwd=tmp_path, env={"RELAYKIT_AGENT": "main"})


def program(tmp_path, prints):
    path = tmp_path / "claude"
    path.write_text(f"#!{sys.executable}\nprint({prints!r})\n", encoding="utf-8")
    path.chmod(0o700)
    return str(path)


def test_the_doctor_is_told_the_version_and_the_place(tmp_path):
    told = CLAUDE.check({"command": program(tmp_path, "2.1.300 (Claude Code)")})
    assert told == f"claude 2.1.300 at {tmp_path}/claude"


@pytest.mark.live
def test_the_real_claude_passes_the_doctor():
    assert claude_binary() in CLAUDE.check({"command": claude_binary()})


@pytest.mark.parametrize(("prints", "says"), [("2.1.247 (Claude Code)", "too old"), ("hello", "does not tell")])
def test_an_old_or_strange_claude_is_refused_in_one_line(tmp_path, prints, says):
    with pytest.raises(ProviderError, match=says) as raised:
        CLAUDE.check({"command": program(tmp_path, prints)})
    assert raised.value.fault.whose is Whose.AGENT
    assert "install 2.1.248 or newer" in raised.value.fault.message


def test_a_claude_that_is_missing_is_told_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProviderError, match="npm install"):
        find_claude(None)
    with pytest.raises(ProviderError, match="set the option command"):
        find_claude("no-such-claude")


def test_the_environment_is_built_from_a_list(monkeypatch, tmp_path, request_):
    given = {"PATH": "/bin", "MY_TOKEN": "t", "OTHER": "o", "CLAUDE_CODE_SSE_PORT": "1", "CLAUDECODE": "1"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    env = environment(Options(pass_env=("OTHER",)), request_, config=None, place=tmp_path, key=None)
    assert (env["PATH"], env["OTHER"], env["RELAYKIT_AGENT"]) == ("/bin", "o", "main")
    assert not {"MY_TOKEN", "CLAUDE_CODE_SSE_PORT", "CLAUDECODE", "IS_SANDBOX"} & env.keys()
    assert {env["CLAUDE_CODE_TMPDIR"], env["XDG_RUNTIME_DIR"]} == {f"{tmp_path}/tmp", f"{tmp_path}/run"}


@pytest.mark.parametrize("name", ["CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "CLAUDE_CODE_DISABLE_CRON"])
def test_only_with_background_work_may_turns_begin_that_nobody_asked_for(tmp_path, request_, name):
    for background, value in ((False, "1"), (True, None)):
        env = environment(Options(background=background), request_, config=None, place=tmp_path, key=None)
        assert env.get(name) == value


def test_the_users_sign_in_stays_outside_a_private_configuration(monkeypatch, tmp_path, request_):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "the user's")
    private = environment(Options(), request_, config=tmp_path, place=tmp_path, key=None)
    assert "ANTHROPIC_API_KEY" not in private
    own = environment(Options(), request_, config=tmp_path, place=tmp_path, key=Secret("the agent's"))
    assert (own["ANTHROPIC_API_KEY"], own["CLAUDE_CONFIG_DIR"]) == ("the agent's", str(tmp_path))


SIGN_INS = [
    *("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS", "ANTHROPIC_FOUNDRY_API_KEY"),
    *("CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_OAUTH_REFRESH_TOKEN", "CLAUDE_CODE_SESSION_ACCESS_TOKEN"),
    *("AWS_BEARER_TOKEN_BEDROCK", "AWS_SECRET_ACCESS_KEY"),
]


@pytest.mark.parametrize("name", SIGN_INS)
def test_the_users_sign_in_is_not_sent_beside_an_agents_own_key(monkeypatch, tmp_path, request_, name):
    monkeypatch.setenv(name, "the user's")
    shared = environment(Options(), request_, config=None, place=tmp_path, key=None)
    assert shared[name] == "the user's"
    own = environment(Options(), request_, config=None, place=tmp_path, key=Secret("the agent's"))
    assert "the user's" not in own.values()
    assert own["ANTHROPIC_API_KEY"] == "the agent's"


@pytest.mark.parametrize("name", ["CLAUDE_CODE_MAX_OUTPUT_TOKENS", "GIT_CONFIG_KEY_0", "AWS_REGION"])
def test_what_is_no_sign_in_and_what_pass_env_names_goes_along_with_an_agents_own_key(
    monkeypatch, tmp_path, request_, name
):
    for passed in (name, "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(passed, "passed on")
    options = Options(pass_env=("AWS_SECRET_ACCESS_KEY",))
    own = environment(options, request_, config=None, place=tmp_path, key=Secret("the agent's"))
    assert (own[name], own["AWS_SECRET_ACCESS_KEY"]) == ("passed on", "passed on")


@pytest.mark.parametrize(
    ("option", "approval", "mode"),
    [
        (None, Approval.ASK, "default"),
        (None, Approval.AUTO, "default"),
        (None, Approval.DENY, "acceptEdits"),
        ("plan", Approval.ASK, "plan"),
        ("acceptEdits", Approval.READ_ONLY, "default"),
    ],
)
def test_every_session_is_started_in_a_mode_that_asks(request_, option, approval, mode):
    options = Options(permission_mode=option)
    assert permission_mode(options, approval) == mode
    assert "--permission-mode=default" in arguments("claude", Options(), request_, ())


@pytest.mark.parametrize("words", [("--settings", "mine.json"), ("--settings={}",), ("--verbose", "--settings=x")])
def test_no_words_take_the_place_of_the_sessions_own_settings(request_, words):
    with pytest.raises(ConfigError, match="use a profile"):
        arguments("claude", Options(), replace(request_, arguments=words), ())


@pytest.mark.anyio
async def test_a_claude_that_does_not_know_our_words_is_told_to_be_perhaps_too_old(claude, tmp_path):
    path = tmp_path / "old-claude"
    path.write_text(
        "#!/bin/sh\necho \"error: unknown option '--forward-subagent-text'\" >&2\nexit 1\n", encoding="utf-8"
    )
    path.chmod(0o700)
    with pytest.raises(ProviderError, match=r"install 2\.1\.248 or newer") as raised:
        async with claude.open(options={"command": str(path)}):
            pass
    assert (raised.value.fault.code, raised.value.fault.whose) == ("version", Whose.AGENT)
