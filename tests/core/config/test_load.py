"""A configuration becomes records: defaults, file, environment and options, the later ones winning."""

from __future__ import annotations

from pathlib import Path

import pytest

from relaykit import config
from relaykit.config.records import AgentConfig, Config, UseConfig
from relaykit.errors import ConfigError
from relaykit.model import Approval, Limits, Priority, Profile


def test_without_a_file_the_defaults_hold(registry, tmp_path):
    assert config.load(registry=registry) == Config(home=tmp_path / ".local/state/relaykit")


def test_every_section_becomes_records(load, tmp_path):
    (tmp_path / "app").mkdir()
    loaded = load(
        """
        [relay]
        home = "state"
        listen = "off"
        synced = true
        drain_seconds = 3
        permission_hours = 0.5
        [relay.limits]
        queued = 7
        [relay.retention]
        events_days = 1.5
        [agents.reviewer]
        provider = "made-up"
        cwd = "app"
        label = "critic"
        tags = ["review"]
        capabilities = ["read"]
        approval = "guarded"
        priority = "next"
        profile = "careful"
        prompt = "Begin."
        instructions = "Be brief."
        arguments = ["--fast"]
        on_interrupted = "fail"
        silence = 60
        [agents.reviewer.options]
        delay = 2
        [profiles.careful]
        instructions = "Never push."
        model = "big"
        reachable_by = ["user", "tag:review"]
        may_send_now = true
        [transports.away]
        use = "dock"
        url = "http://127.0.0.1:1"
        token = "dock"
        [routers.again]
        use = "address"
        [sinks.log]
        use = "made-up-sink"
        [credentials]
        prefix = "TEAM_"
        [plugins]
        disabled = ["signaldock"]
        """
    )
    assert loaded.home == tmp_path / "state"
    assert (loaded.synced, loaded.drain_seconds, loaded.permission_hours) == (True, 3, 0.5)
    assert loaded.limits == Limits(queued=7)
    assert loaded.retention.events_days == 1.5
    assert loaded.agents == (
        AgentConfig(
            id="reviewer",
            provider="made-up",
            cwd=tmp_path / "app",
            label="critic",
            tags=("review",),
            capabilities=("read",),
            approval=Approval.ASK,
            priority=Priority.NEXT,
            profile="careful",
            prompt="Begin.",
            instructions="Be brief.",
            arguments=("--fast",),
            on_interrupted="fail",
            silence=60,
            options={"delay": 2, "model": "big"},
        ),
    )
    assert loaded.profiles == {
        "careful": Profile(
            name="careful",
            instructions="Never push.",
            model="big",
            reachable_by=("user", "tag:review"),
            may_send_now=True,
        )
    }
    assert loaded.transports == (
        UseConfig(name="local", use="local"),
        UseConfig(name="away", use="dock", options={"url": "http://127.0.0.1:1", "token": "dock"}),
    )
    assert [use.name for use in loaded.routers] == ["address", "again"]
    assert loaded.sinks == (UseConfig(name="log", use="made-up-sink"),)
    assert loaded.credentials == UseConfig(name="credentials", use="env", options={"prefix": "TEAM_"})
    assert loaded.mailbox == UseConfig(name="mailbox", use="sqlite")
    assert loaded.plugins.disabled == ("signaldock",)


@pytest.mark.parametrize(
    ("word", "approval"),
    [
        ("ask", "ask"),
        ("guarded", "ask"),
        ("auto", "auto"),
        ("open", "auto"),
        ("read-only", "read-only"),
        ("deny", "deny"),
    ],
)
def test_approval_has_two_aliases(load, word, approval):
    (agent,) = load(f'[agents.a]\nprovider = "echo"\napproval = "{word}"').agents
    assert agent.approval is Approval(approval)


def test_an_agents_own_model_wins_over_the_profiles(load):
    (agent,) = load(
        """
        [agents.a]
        provider = "made-up"
        profile = "p"
        options = {model = "small"}
        [profiles.p]
        model = "big"
        """
    ).agents
    assert agent.options == {"model": "small"}


def test_a_provider_without_models_gets_none(load):
    (agent,) = load('[agents.a]\nprovider = "echo"\nprofile = "p"\n[profiles.p]\nmodel = "big"').agents
    assert "model" not in agent.options


def test_a_relative_path_begins_at_its_file_and_a_missing_one_where_the_command_is_given(
    write, registry, tmp_path, monkeypatch
):
    (tmp_path / "etc/app").mkdir(parents=True)
    file = write(
        '[relay]\nhome = "state"\n[agents.a]\nprovider = "echo"\ncwd = "app"\n[agents.b]\nprovider = "echo"',
        "etc/x.toml",
    )
    monkeypatch.chdir("/")
    loaded = config.load(file, registry=registry)
    assert loaded.home == tmp_path / "etc/state"
    assert [agent.cwd for agent in loaded.agents] == [tmp_path / "etc/app", Path("/")]


def test_a_tilde_is_the_users_home(load, tmp_path):
    (tmp_path / "src").mkdir()
    assert load('[agents.a]\nprovider = "echo"\ncwd = "~/src"').agents[0].cwd == tmp_path / "src"


@pytest.mark.parametrize(
    ("said", "state"), [("/srv/state", "/srv/state"), ("state", "{home}/.local/state"), ("", "{home}/.local/state")]
)
def test_the_home_is_where_the_environment_has_state_kept(registry, tmp_path, monkeypatch, said, state):
    monkeypatch.setenv("XDG_STATE_HOME", said)
    assert config.load(registry=registry).home == Path(state.format(home=tmp_path), "relaykit")


@pytest.mark.parity("AR-3")
def test_the_file_here_comes_before_the_users(write, registry, tmp_path):
    write("[relay]\ndrain_seconds = 1", "user/relaykit/config.toml")
    assert config.load(registry=registry).drain_seconds == 1
    write("[relay]\ndrain_seconds = 2")
    assert config.load(registry=registry).drain_seconds == 2
    other = write("[relay]\ndrain_seconds = 3", "other.toml")
    assert config.load(other, registry=registry).drain_seconds == 3


@pytest.mark.parity("AR-3", "CO-5")
def test_the_environment_comes_before_the_file_and_an_option_before_both(load):
    text = '[relay]\ndrain_seconds = 1\nsynced = false\nhome = "/in/file"'
    environ = {"RELAYKIT_RELAY_DRAIN_SECONDS": "2", "RELAYKIT_RELAY_SYNCED": "yes", "RELAYKIT_HOME": "/in/env"}
    said = [config.Setting(path=("relay", "drain_seconds"), value=3, origin="--drain")]
    from_env = load(text, environ=environ)
    assert (from_env.drain_seconds, from_env.synced, from_env.home) == (2, True, Path("/in/env"))
    from_options = load(text, environ=environ, overrides=said, home="/in/option")
    assert (from_options.drain_seconds, from_options.home) == (3, Path("/in/option"))


def test_a_named_file_that_is_not_there_is_an_error(registry, tmp_path):
    with pytest.raises(ConfigError, match=rf"{tmp_path}/no.toml: there is no such file; `relaykit config init`"):
        config.load("no.toml", registry=registry)


@pytest.mark.parity("AR-3")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"[relay]\nsynced = maybe\n", "relaykit.toml:2:10: Invalid value"),
        (b"[a]\n[a]\n", "relaykit.toml:2:3: Cannot declare ('a',) twice"),
        (b'x = "', "relaykit.toml: Unterminated string at its end"),
        (b"x = '\xff'", "relaykit.toml: byte 5 is not UTF-8; TOML files are"),
        (b"x = " + b"[" * 5000, "relaykit.toml: nested too deeply; nothing here is deeper than 32 tables"),
        (b".".join([b"a"] * 99) + b" = 1", "relaykit.toml: nested too deeply; nothing here is deeper than 32 tables"),
    ],
)
def test_what_is_no_toml_is_refused_with_its_place(registry, tmp_path, text, problem):
    (tmp_path / "relaykit.toml").write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        config.load(registry=registry)
    assert caught.value.problems == (f"{tmp_path}/{problem}",)


def test_a_file_that_cannot_be_read_is_refused(registry, tmp_path):
    looping = tmp_path / "loop.toml"
    looping.write_text("")
    source = config.read(looping)
    assert source.tree == {}
    looping.unlink()
    looping.symlink_to(looping)
    with pytest.raises(ConfigError, match="there is no such file"):
        config.read(looping)


def test_a_look_at_the_home_agrees_with_the_whole(write, registry, tmp_path):
    assert config.peek().home == config.load(registry=registry).home
    write('[relay]\nhome = "here"')
    assert config.peek().home == config.load(registry=registry).home == tmp_path / "here"
    assert config.peek(environ={"RELAYKIT_HOME": "/in/env"}).home == Path("/in/env")
    assert config.peek(home="/in/option", environ={"RELAYKIT_HOME": "/in/env"}).home == Path("/in/option")


@pytest.mark.parametrize(
    ("text", "plain"),
    [("", True), ('[relay]\nhome = "x"', True), ('[mailbox]\nuse = "x"', False), ("[relay.limits]\nqueued = 1", False)],
)
def test_a_look_knows_whether_the_mailbox_is_the_everyday_one(write, text, plain):
    write(text)
    assert config.peek().plain is plain


def test_the_plugins_are_chosen_before_they_are_loaded(write, tmp_path):
    write('[plugins]\ndisabled = ["codex"]')
    source = config.read(environ={"RELAYKIT_PLUGINS": "claude, codex"})
    assert config.plugin_choice(source) == config.PluginsConfig(disabled=("codex",), only=("claude", "codex"))
    states = {plugin.found.name: plugin.state for plugin in config.plugins(source, {}).plugins}
    assert (states["builtin"], states["claude"], states["codex"], states["signaldock"]) == (
        "loaded",
        "loaded",
        "disabled",
        "disabled",
    )
