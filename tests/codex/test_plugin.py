from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from relaykit_codex import CODEX, relaykit_providers
from relaykit_codex.options import OPTIONS_SCHEMA, Options


def test_the_plugin_offers_codex():
    assert [component.name for component in relaykit_providers()] == ["codex"]


def test_importing_the_plugin_is_cheap():
    code = "import sys, relaykit_codex; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20)
    loaded = set(run.stdout.split())
    assert not loaded & {"anyio", "asyncio", "jsonschema", "relaykit_codex.provider", "relaykit_codex.session"}


def test_the_schema_is_one_and_describes_every_option():
    jsonschema.Draft202012Validator.check_schema(OPTIONS_SCHEMA)
    assert CODEX.options_schema is OPTIONS_SCHEMA
    assert all(option["description"] for option in OPTIONS_SCHEMA["properties"].values())


def test_the_defaults_of_the_schema_are_those_of_the_options():
    options = Options.read({}, "agents.main")
    for name, option in OPTIONS_SCHEMA["properties"].items():
        if "default" in option:
            value = getattr(options, name)
            assert (list(value) if isinstance(value, tuple) else value) == option["default"]


def test_every_option_of_the_schema_is_read():
    given = {
        "command": "c",
        "model": "m",
        "effort": "low",
        "codex_home": "/h",
        "credential": "k",
        "model_provider": "p",
    }
    more = {"config": {"a": 1}, "sandbox": "read-only", "network": True, "writable": ["/w"], "request_timeout": 5}
    more |= {"connect": "socket", "detached": True}
    assert {*given, *more} == set(OPTIONS_SCHEMA["properties"])
    options = Options.read({**given, **more}, "agents.main")
    assert options.writable == ("/w",)
    assert (options.sandbox, options.network, options.request_timeout) == ("read-only", True, 5)
    assert (options.connect, options.detached) == ("socket", True)
    assert Options.read({"detached": True}, "agents.main").connect == "socket"
    assert Options.read({}, "agents.main").connect == "stdio"


@pytest.mark.parametrize(
    "options",
    [
        {"sandbox": "danger-full-access"},
        {"approval_policy": "never"},
        {"writable": ["relative"]},
        {"request_timeout": 0},
        {"model": ""},
        {"command": 7},
    ],
)
def test_options_that_do_not_fit_are_refused(options):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(options, OPTIONS_SCHEMA)


@pytest.mark.parametrize(
    ("options", "home"),
    [
        ({}, None),
        ({"codex_home": "shared"}, None),
        ({"codex_home": "private"}, Path("/agent/codex")),
        ({"credential": "key"}, Path("/agent/codex")),
        ({"codex_home": "/srv/codex", "credential": "key"}, Path("/srv/codex")),
        ({"codex_home": "~/codex"}, Path.home() / "codex"),
    ],
)
def test_where_codex_keeps_its_things(options, home):
    assert Options.read(options, "agents.main").home(Path("/agent")) == home
