from __future__ import annotations

import sys
import tomllib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaykit.model import Profile
from relaykit.plugin import SessionRequest
from relaykit_codex.options import Options
from relaykit_codex.terminal import join_terminal
from relaykit_codex.toml import toml

values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_a_value_reads_as_it_was(value):
    assert "\n" not in toml(value)
    assert tomllib.loads(f"x = {toml(value)}")["x"] == value


@pytest.fixture
def said(tmp_path):
    """What the terminal program is told of Codex's configuration."""

    def said(profile=None, **options):
        read = Options.read({"command": sys.executable, **options}, "main")
        request = SessionRequest(agent="main", cwd=tmp_path, profile=profile)
        argv = join_terminal(read, tmp_path, request, "thread-1", None).argv
        words = [word for before, word in pairwise(argv) if before == "--config"]
        assert argv[-1] == "thread-1"
        return {key: tomllib.loads(f"x = {value}")["x"] for key, _, value in (word.partition("=") for word in words)}

    return said


def test_the_program_finds_the_thread_where_the_relay_has_it_whatever_the_persons_shell_says(tmp_path, monkeypatch):
    monkeypatch.setenv("CODEX_HOME", "/of/the/relay")
    request = SessionRequest(agent="main", cwd=tmp_path)
    for home, where in (("shared", "/of/the/relay"), ("private", f"{tmp_path}/codex")):
        options = Options.read({"command": sys.executable, "codex_home": home}, "main")
        assert join_terminal(options, tmp_path, request, "thread-1", None).env["CODEX_HOME"] == where


NARROW = {"sandbox_workspace_write.network_access": False, "sandbox_workspace_write.writable_roots": []}


def test_the_program_is_told_what_the_agent_may_even_where_that_is_nothing(said):
    assert said() == NARROW
    assert said(network=True, writable=["/srv/a 'quoted' \"one\""]) == {
        "sandbox_workspace_write.network_access": True,
        "sandbox_workspace_write.writable_roots": ["/srv/a 'quoted' \"one\""],
    }


def test_the_agents_own_configuration_goes_with_it_and_does_not_widen_the_sandbox(said):
    config = {"web_search": "disabled", "sandbox_workspace_write": {"network_access": True, "exclude_slash_tmp": True}}
    assert said(config=config, effort="low", model_provider="mine") == {
        **NARROW,
        "web_search": "disabled",
        "sandbox_workspace_write.exclude_slash_tmp": True,
        "model_reasoning_effort": "low",
        "model_provider": "mine",
    }


def test_tools_that_the_profile_denies_are_off_there_too(said):
    assert said(Profile(name="p", denied_tools=("shell",))) == {**NARROW, "features.shell_tool": False}


@pytest.mark.parametrize(
    "config",
    [
        {"model_providers": {"mine": {"experimental_bearer_token": "hush"}}},
        {"model_providers.mine.http_headers": {"x-key": "hush"}},
        {"model_providers": {"my.own": {"http_headers": {"x-key": "hush"}}}},
        {"mcp_servers": {"files": {"command": "files", "env": {"KEY": "hush"}}}},
        {"mcp_servers": {"with.dots": {"command": "files", "args": ["hush"]}}},
        {"shell_environment_policy": {"set": {"KEY": "hush"}}},
        {"otel": {"exporter": {"otlp-http": {"headers": {"x-key": "hush"}}}}},
    ],
)
def test_what_may_be_secret_is_in_no_word(said, config):
    assert "hush" not in str(said(config=config))
