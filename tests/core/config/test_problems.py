"""Everything that is wrong is told at once, each with its file, its place and a remedy."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from relaykit import config
from relaykit.config.records import Config
from relaykit.config.source import Source
from relaykit.config.toml import DEEPEST
from relaykit.errors import ConfigError

AGENT = '[agents.a]\nprovider = "echo"\n'
PROBLEMS = [
    ("[foo]", "foo: unknown key; known: agents, credentials, mailbox, "),
    ("[agnets.a]", "agnets: unknown key; did you mean 'agents'?"),
    ("relay = 3", "relay: 3 does not fit; a table belongs here"),
    ("agents = []", "agents: a list does not fit; a table belongs here"),
    ("[relay]\ndrian = 3", "relay.drian: unknown key; did you mean 'drain_seconds'?"),
    (
        "[relay]\nlisten = 'everywhere'",
        "relay.listen: 'everywhere' is not an address; write 'auto', 'off' or HOST:PORT",
    ),
    ("[relay]\nlisten = '127.0.0.1:65536'", "relay.listen: '127.0.0.1:65536' is not an address"),
    ("[relay]\ndrain_seconds = -1", "relay.drain_seconds: -1 is less than the minimum of 0"),
    ("[relay]\ndrain_seconds = nan", "relay.drain_seconds: nan is no number that can be used; write a finite one"),
    ("[relay]\npermission_hours = 0", "relay.permission_hours: 0 is not more than 0"),
    ("[relay]\nhome = 1979-05-27", "relay.home: dates and times are not used here; write it in quotes"),
    ("[relay.limits]\nqueued = 0", "relay.limits.queued: 0 is less than the minimum of 1"),
    ("[relay.limits]\nqueued = 'many'", "relay.limits.queued: 'many' does not fit; a whole number belongs here"),
    ("[agents.a]", "agents.a: 'provider' is missing"),
    ("[agents.a]\nprovider = 'mda-up'", "agents.a.provider: unknown provider 'mda-up'; did you mean 'made-up'?"),
    (
        "[agents.a]\nprovider = 'claude'",
        "agents.a.provider: unknown provider 'claude'; install it with: pip install \"relaykit[claude]\"",
    ),
    ("[agents.a]\nprovider = 3", "agents.a.provider: 3 does not fit; a string belongs here"),
    ("[agents.'a b']\nprovider = 'echo'", "agents.\"a b\": 'a b' is not a name: letters, digits, "),
    ('[agents."a\\n"]\nprovider = "echo"', "agents.\"a\\n\": 'a\\n' is not a name: letters, digits, "),
    ("[agents.user]\nprovider = 'echo'", "agents.user: an agent cannot be called 'user': the person at this machine"),
    ("[agents.broadcast]\nprovider = 'echo'", "agents.broadcast: an agent cannot be called 'broadcast'"),
    (
        AGENT + "approval = 'aks'",
        "agents.a.approval: 'aks' is not one of ask, auto, read-only, deny, guarded, open; did",
    ),
    (AGENT + "priority = 'soon'", "agents.a.priority: 'soon' is not one of later, next, now"),
    (AGENT + "tags = ['x', 'x']", "agents.a.tags: something stands there twice"),
    (AGENT + "tags = ['a b']", "agents.a.tags[0]: 'a b' is not a name: letters, digits, "),
    (AGENT + "profile = 'p'", "agents.a.profile: there is no profile 'p'; profiles: none"),
    (AGENT + "profile = 'carful'\n[profiles.careful]", "there is no profile 'carful'; did you mean 'careful'?"),
    (AGENT + "cwd = 'nowhere'", "/nowhere is no directory; create it, or name another"),
    (AGENT + "cwd = '~nobody-at-all/x'", "/~nobody-at-all/x is no directory; create it, or name another"),
    (AGENT + 'cwd = "a\\u0000b"', "agents.a.cwd: a NUL character stands in it; take it out"),
    (AGENT + "options.x = 1", "agents.a.options.x: unknown key; "),
    (
        "[agents.a]\nprovider = 'made-up'\noptions.delay = -1",
        "agents.a.options.delay: -1 is less than the minimum of 0",
    ),
    ("[profiles.p]\nreachable_by = ['tag:']", "profiles.p.reachable_by[0]: 'tag:' is not an address; use a name, "),
    ("[transports.x]", "transports.x: 'use' is missing"),
    ("[transports.x]\nuse = 'dokc'", "transports.x.use: unknown transport 'dokc'; did you mean 'dock'?"),
    ("[transports.x]\nuse = 'dock'", "transports.x: 'url' is missing"),
    ("[transports.x]\nuse = 'dock'\nurl = 'gopher:x'", "transports.x.url: 'gopher:x' is not a URL"),
    ("[sinks.x]\nuse = 'made-up-sink'\nfile = 1", "sinks.x.file: unknown key; known: use"),
    ("[credentials]\nuse = 'enf'", "credentials.use: unknown credential store 'enf'; did you mean 'env'?"),
    ("[mailbox]\nuse = 'postgres'", "mailbox.use: unknown mailbox 'postgres'; installed: sqlite"),
    ("[plugins]\ndisabled = ['bultin']", "plugins.disabled[0]: there is no plugin 'bultin'; did you mean 'builtin'?"),
]


@pytest.mark.parametrize(("text", "problem"), PROBLEMS, ids=[text.replace("\n", " ")[:60] for text, _ in PROBLEMS])
def test_a_problem_names_file_place_and_remedy(load, tmp_path, text, problem):
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert all(line.startswith(f"{tmp_path}/relaykit.toml: ") for line in caught.value.problems)
    assert len(caught.value.problems) == 1
    assert problem in caught.value.problems[0]


def test_all_problems_come_at_once(load):
    with pytest.raises(ConfigError) as caught:
        load("[relay]\nsynced = 3\n[agents.a]\nprovider = 'x'\napproval = 'y'\n[agents.b]\n[foo]\n")
    places = [problem.split(": ")[1] for problem in caught.value.problems]
    assert places == ["agents.a.approval", "agents.a.provider", "agents.b", "foo", "relay.synced"]


def test_a_problem_of_the_environment_names_its_variable(load):
    with pytest.raises(ConfigError) as caught:
        load(environ={"RELAYKIT_RELAY_SYNCED": "maybe", "RELAYKIT_RELAY_DRAIN": "3"})
    assert caught.value.problems == (
        "RELAYKIT_RELAY_DRAIN: relay.drain: unknown key; did you mean 'drain_seconds'?",
        "RELAYKIT_RELAY_SYNCED: relay.synced: 'maybe' does not fit; true or false belongs here",
    )


def test_a_problem_of_an_option_names_the_option(registry):
    said = [
        config.Setting(path=("agents", "a", "provider"), value="echo", origin="--provider"),
        config.Setting(path=("agents", "a", "approval"), value="never", origin="--approval"),
    ]
    with pytest.raises(ConfigError, match=r"^--approval: agents\.a\.approval: 'never' is not one of "):
        config.load(registry=registry, overrides=said)


def test_a_plugin_that_failed_and_is_needed_is_named_with_its_error(write, tmp_path, monkeypatch):
    info = tmp_path / "site/bad_plug-0.3.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-plug\nVersion: 0.3\n")
    (info / "entry_points.txt").write_text("[relaykit]\nbad = no_such_module_at_all\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    write("")
    config.load()
    write("[agents.a]\nprovider = 'bad'")
    with pytest.raises(ConfigError) as caught:
        config.load()
    assert str(caught.value) == (
        f"{tmp_path}/relaykit.toml: agents.a.provider: unknown provider 'bad'; plugin 'bad' (bad-plug 0.3) "
        "could not be imported: No module named 'no_such_module_at_all'"
    )


SECRETS = [
    "[agents.a]\nprovider = 'made-up'\noptions.api_key = 'sesame'",
    "[agents.a]\nprovider = 'made-up'\noptions.more.deep.OPENAI_API_KEY = 'sesame'",
    "[agents.a]\nprovider = 'made-up'\noptions.more.tokens = ['sesame']",
    "[agents.a]\nprovider = 'made-up'\noptions.credential = 'sesame sesame'",
    "[agents.a]\nprovider = 'nobody'\noptions.password = 'sesame'",
    "[transports.x]\nuse = 'dock'\nurl = 'http://x'\ntoken = 'sesame!'",
    "[transports.x]\nuse = 'dock'\nurl = 'http://x'\nsecret = 'sesame'",
    "[credentials]\npassword = 'sesame'",
    "[relay]\napi_token = 'sesame'",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_in_the_open_is_refused_and_not_repeated(load, text):
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert "sesame" not in str(caught.value)


def test_a_secret_in_the_open_comes_with_the_remedy(load):
    with pytest.raises(
        ConfigError, match=r"agents\.a\.options\.api_key: a secret does not belong in a configuration; keep"
    ):
        load(SECRETS[0])


def test_the_name_of_a_credential_may_stand_under_any_key(load):
    (_, dock) = load("[transports.x]\nuse = 'dock'\nurl = 'http://x'\ntoken = 'sesame'").transports
    assert dock.options["token"] == "sesame"


SCALARS = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.dates(),
    st.sampled_from(
        ["echo", "made-up", "env", "sqlite", "dock", "ask", "later", "off", "p", "a", "tag:x", "\0", "~x", "x" * 999]
    ),
)
KEYS = st.one_of(
    st.text(max_size=3),
    st.sampled_from(
        [
            "relay",
            "agents",
            "profiles",
            "transports",
            "routers",
            "sinks",
            "credentials",
            "mailbox",
            "sessions",
            "plugins",
            "a",
            "p",
            "use",
            "provider",
            "cwd",
            "tags",
            "approval",
            "priority",
            "profile",
            "options",
            "disabled",
            "limits",
            "retention",
            "home",
            "listen",
            "reachable_by",
            "queued",
            "token",
            "local",
        ]
    ),
)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
        max_leaves=15,
    ),
    max_size=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@example({"agents": {"a": {"profile": [], "cwd": {}}}})
@given(TREES)
def test_any_tree_is_a_configuration_or_a_configuration_error(registry, tree):
    try:
        loaded = config.check(Source(tree=tree), registry)
    except ConfigError as exc:
        assert exc.problems  # noqa: PT017 - either end is right
    else:
        assert isinstance(loaded, Config)
        assert config.settings(Source(tree=tree), registry)


def test_an_option_that_is_nested_too_deeply_is_refused():
    deep = []
    for _ in range(DEEPEST + 1):
        deep = [deep]
    with pytest.raises(ConfigError, match=r"--option: agents\.a\.options\.x: nested too deeply"):
        config.read(overrides=[config.Setting(path=("agents", "a", "options", "x"), value=deep, origin="--option")])
