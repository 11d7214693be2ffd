"""What is in force is shown with who said it; the schema is one that editors can use."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from relaykit import config
from relaykit.config.records import AgentConfig, Config, Retention
from relaykit.config.toml import value_text
from relaykit.model import Limits
from relaykit.registry import PROVIDER


def shown(registry, **more):
    source = config.read(**more)
    return source, {setting.path: (setting.value, setting.origin) for setting in config.settings(source, registry)}


def test_every_value_says_where_it_comes_from(write, registry, tmp_path):
    file = str(write("[relay]\ndrain_seconds = 1\n[agents.a]\nprovider = 'made-up'\n"))
    said = [config.Setting(path=("agents", "a", "label"), value="x", origin="--label")]
    _, values = shown(registry, environ={"RELAYKIT_RELAY_SYNCED": "1"}, overrides=said)
    assert values["relay", "drain_seconds"] == (1, file)
    assert values["relay", "synced"] == (True, "RELAYKIT_RELAY_SYNCED")
    assert values["relay", "permission_hours"] == (24, "default")
    assert values["relay", "home"] == (str(tmp_path / ".local/state/relaykit"), "default")
    assert values["agents", "a", "provider"] == ("made-up", file)
    assert values["agents", "a", "label"] == ("x", "--label")
    assert values["agents", "a", "options", "delay"] == (0, "default")
    assert values["agents", "a", "cwd"] == (str(tmp_path), "default")
    assert values["credentials", "prefix"] == ("RELAYKIT_CREDENTIAL_", "default")


def test_what_is_shown_is_a_configuration_that_shows_the_same(write, registry):
    write(
        """
        [relay.limits]
        queued = 3
        [agents."a.b"]
        provider = "made-up"
        instructions = "two\\nlines \\u007f \\" # and \\\\ more"
        options = {more = {x = [1, true, 2.5, {y = "z"}]}, delay = 1e3}
        [profiles.p]
        [sinks.log]
        use = "made-up-sink"
        """
    )
    source, values = shown(registry)
    text = config.as_toml(config.settings(source, registry))
    assert "\x7f" not in text
    _, again = shown(registry, path=write(text, "again.toml"))
    assert {path: value for path, (value, _) in again.items()} == {path: value for path, (value, _) in values.items()}
    assert again["agents", "a.b", "instructions"][0] == 'two\nlines \x7f " # and \\ more'


def test_what_may_be_a_secret_is_masked(write, registry):
    write('[transports.x]\nuse = "dock"\nurl = "http://x"\ntoken = "sesame"')
    source, values = shown(registry)
    assert values["transports", "x", "token"][0] == "***"
    assert "sesame" not in config.as_toml(config.settings(source, registry))


@given(
    st.recursive(
        st.one_of(
            st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.text()
        ),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
        max_leaves=8,
    )
)
def test_any_value_is_written_as_toml_reads_it(value):
    assert tomllib.loads(f"x = {value_text(value)}")["x"] == value


def test_the_schema_is_one_and_has_every_provider_in_it(registry):
    schema = config.schema(registry)
    Draft202012Validator.check_schema(schema)
    agent = schema["properties"]["agents"]["additionalProperties"]
    assert agent["properties"]["provider"]["enum"] == sorted(registry.components(PROVIDER))
    assert [choice["if"]["properties"]["provider"]["const"] for choice in agent["allOf"]] == list(registry.providers)


def test_every_key_is_described(registry):
    def undescribed(schema, path):
        for key, inner in schema.get("properties", {}).items():
            if "description" not in inner and "$ref" not in inner:
                yield (*path, key)
            yield from undescribed(inner, (*path, key))
        if isinstance(inner := schema.get("additionalProperties"), dict):
            yield from undescribed(inner, (*path, "*"))

    assert list(undescribed(config.schema(registry), ())) == []


@pytest.mark.parametrize(
    ("path", "record"),
    [
        (("relay",), Config(home="")),
        (("relay", "limits"), Limits()),
        (("relay", "retention"), Retention()),
        (("agents", "a"), AgentConfig(id="a", provider="echo", cwd="")),
    ],
)
def test_the_schemas_defaults_are_the_records(write, registry, path, record):
    write("[agents.a]\nprovider = 'echo'")
    _, values = shown(registry)
    defaults = {
        where[-1]: value for where, (value, origin) in values.items() if where[:-1] == path and origin == "default"
    }
    known = {key: value for key, value in defaults.items() if hasattr(record, key) and key not in ("home", "cwd")}
    assert known
    assert {key: tuple(value) if isinstance(value, list) else value for key, value in known.items()} == {
        key: getattr(record, key) for key in known
    }
