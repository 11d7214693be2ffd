"""How the relay's tools are given to a session."""

from __future__ import annotations

import pytest

from relaykit.model import Secret
from relaykit.plugin import Endpoint, SessionRequest
from relaykit_codex.handshake import thread_settings
from relaykit_codex.launch import environment
from relaykit_codex.options import Options
from relaykit_codex.projecting import Projected

ENDPOINT = Endpoint(url="http://127.0.0.1:4870", token=Secret("a-token-that-nobody-may-see"), tools=pytest.fail)


def test_the_threads_settings_name_the_server_and_not_the_token(tmp_path):
    request = SessionRequest(agent="main", cwd=tmp_path, endpoint=ENDPOINT)
    settings = thread_settings(request, Options.read({}, "agents.main"), Projected())
    server = {
        name.removeprefix("mcp_servers.relaykit."): value
        for name, value in settings["config"].items()
        if name.startswith("mcp_servers.relaykit.")
    }
    assert (server["url"], server["bearer_token_env_var"]) == ("http://127.0.0.1:4870/mcp", "RELAYKIT_TOKEN")
    assert ENDPOINT.token.reveal() not in str(settings)
    without = thread_settings(SessionRequest(agent="main", cwd=tmp_path), Options.read({}, "agents.main"), Projected())
    assert not [name for name in without["config"] if name.startswith("mcp_servers")]


@pytest.mark.parametrize(
    ("before", "spared"),
    [
        ({}, None),
        ({"https_proxy": "http://proxy:1"}, None),
        ({"HTTP_PROXY": "http://proxy:1"}, "127.0.0.1,localhost,::1"),
        ({"http_proxy": "http://proxy:1", "no_proxy": "intern"}, "intern,127.0.0.1,localhost,::1"),
    ],
)
def test_the_token_is_in_the_environment_and_passes_by_no_proxy(tmp_path, monkeypatch, before, spared):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in before.items():
        monkeypatch.setenv(name, value)
    found = environment(SessionRequest(agent="main", cwd=tmp_path, endpoint=ENDPOINT), None)
    assert found["RELAYKIT_TOKEN"] == ENDPOINT.token.reveal()
    assert (found.get("NO_PROXY"), found.get("no_proxy") if spared else None) == (spared, spared)
    assert "RELAYKIT_TOKEN" not in environment(SessionRequest(agent="main", cwd=tmp_path), None)


USERS = ("OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_ACCESS_TOKEN")


def test_an_agent_with_a_key_of_its_own_has_no_sign_in_of_the_users(tmp_path, monkeypatch):
    for name in USERS:
        monkeypatch.setenv(name, "the user's own")
    request = SessionRequest(agent="main", cwd=tmp_path, env={"OPENAI_API_KEY": "the agent's"})
    assert set(USERS) <= environment(request, None).keys()
    found = environment(request, tmp_path / "home", signed_in=True)
    assert {name: found[name] for name in USERS if name in found} == {"OPENAI_API_KEY": "the agent's"}
