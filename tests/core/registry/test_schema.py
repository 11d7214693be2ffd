"""Options are checked by their schema; a quick yes is never wrong, and a no says what would be right."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from relaykit.errors import ConfigError, PluginError
from relaykit.plugin import Component
from relaykit.registry import PROVIDER, Checker, Registry
from relaykit.registry.masking import is_credential_name, is_secret_key
from relaykit.registry.quick import surely_fits

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, -1.0]), st.sampled_from("abc")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=6,
)
PLAIN = {
    "type": st.sampled_from(
        ["object", "array", "string", "number", "integer", "boolean", "null", ["string", "number"]]
    ),
    "enum": st.lists(VALUES, max_size=3),
    "const": VALUES,
    "minimum": st.integers(-2, 2),
    "maximum": st.integers(-2, 2),
    "exclusiveMinimum": st.integers(-2, 2),
    "exclusiveMaximum": st.integers(-2, 2),
    "minLength": st.integers(0, 2),
    "maxLength": st.integers(0, 2),
    "minItems": st.integers(0, 2),
    "maxItems": st.integers(0, 2),
    "minProperties": st.integers(0, 2),
    "uniqueItems": st.booleans(),
    "pattern": st.sampled_from(["^a", "b|c", "(?![\\s\\S])"]),
    "format": st.sampled_from(["credential", "email"]),
    "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
    "description": st.just("words"),
    "x-means": st.just("words"),
    "multipleOf": st.just(2),
    "dependentRequired": st.just({"a": ["b"]}),
}


def _schemas(inner):
    parts = {
        "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "."]), inner, max_size=1),
        "additionalProperties": inner,
        "propertyNames": inner,
        "items": inner,
        "prefixItems": st.lists(inner, min_size=1, max_size=2),
        "allOf": st.lists(inner, min_size=1, max_size=2),
        "anyOf": st.lists(inner, min_size=1, max_size=2),
        "not": inner,
        "if": inner,
        "then": inner,
        "else": inner,
    }
    return st.fixed_dictionaries({}, optional={**PLAIN, **parts})


SCHEMAS = st.recursive(st.one_of(st.booleans(), st.fixed_dictionaries({}, optional=PLAIN)), _schemas, max_leaves=4)


def _formats():
    formats = FormatChecker(formats=())
    formats.checks("credential")(is_credential_name)
    return formats


@example({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}, ["a", 1])
@example({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}, [1])
@given(SCHEMAS, VALUES)
def test_a_quick_yes_is_a_yes_of_the_full_validator(schema, value):
    if surely_fits(schema, value):
        Draft202012Validator.check_schema(schema)
        assert Draft202012Validator(schema, format_checker=_formats()).is_valid(value)


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"properties": 3}, {"pattern": "["}, {"items": "x"}, 7])
def test_what_is_no_schema_is_left_to_the_full_validator(schema):
    assert not surely_fits(schema, {"a": "a"}) or not surely_fits(schema, "a") or not surely_fits(schema, ["a"])


OPTIONS = {
    "type": "object",
    "additionalProperties": False,
    "required": ["mode"],
    "properties": {
        "delay": {"type": "number", "minimum": 0, "exclusiveMaximum": 9},
        "mode": {"type": "string", "enum": ["careful", "bold"]},
        "credential": {"type": "string", "format": "credential"},
        "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
        "said": {"type": "string", "pattern": "^[a-z]+$", "x-means": "a word in lower case"},
        "list": {"type": "array", "items": {"type": "integer"}, "maxItems": 3, "minItems": 1, "uniqueItems": True},
        "either": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}}]},
        "token": {"type": "string", "pattern": "^t-"},
        "nothing": False,
        "table": {"type": "object", "propertyNames": {"pattern": "^[a-z]$"}},
    },
}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "'mode' is missing"),
        ({"delay": -1}, "delay: -1 is less than the minimum of 0"),
        ({"delay": 9}, "delay: 9 is not less than 9"),
        ({"delay": "1"}, "delay: '1' does not fit; a number belongs here"),
        ({"delay": True}, "delay: true does not fit; a number belongs here"),
        ({"mode": "bald"}, "mode: 'bald' is not one of careful, bold; did you mean 'bold'?"),
        ({"mode": 3}, "mode: 3 does not fit; a string belongs here"),
        ({"dalay": 1}, "dalay: unknown key; did you mean 'delay'?"),
        ({"cred": "x"}, "cred: unknown key; did you mean 'credential'?"),
        (
            {"credential": "s e c r e t"},
            "credential: this is not the name of a credential; a secret goes into the credential store, its name here",
        ),
        ({"name": "ABC"}, "name: 'ABC' is not of the form ^[a-z]+$"),
        ({"name": "abcdef"}, "name: 'abcdef' is too long; at most 5 characters belong here"),
        ({"said": "ABC"}, "said: 'ABC' is not a word in lower case"),
        ({"list": [1, "x"]}, "list[1]: 'x' does not fit; a whole number belongs here"),
        ({"list": [1, 1]}, "list: something stands there twice"),
        ({"list": []}, "list: too few; at least 1 belong here"),
        ({"either": 3}, "either: 3 does not fit; a string or a list belongs here"),
        ({"either": ["x"]}, "either[0]: 'x' does not fit; a whole number belongs here"),
        ({"token": "sesame"}, "token: the value is not of the form ^t-"),
        ({"nothing": 1}, "1 is not allowed"),
        ({"table": {"A b": 1}}, "table.\"A b\": 'A b' is not of the form ^[a-z]$"),
    ],
)
def test_a_problem_says_where_what_and_what_would_be_right(options, problem):
    given_options = options if problem == "'mode' is missing" else {"mode": "bold", **options}
    assert [str(found) for found in Checker(OPTIONS).problems(given_options)] == [problem]


def test_opening_with_wrong_options_names_every_problem_under_the_use():
    registry = Registry()
    registry.add(PROVIDER, Component(name="x", summary="", open=None, options_schema=OPTIONS))

    class Lent:
        name = "agents.main"

    with pytest.raises(ConfigError) as caught:
        registry.open(PROVIDER, "x", {"delay": -1, "list": []}, Lent())
    assert caught.value.problems == (
        "agents.main: 'mode' is missing",
        "agents.main.delay: -1 is less than the minimum of 0",
        "agents.main.list: too few; at least 1 belong here",
    )


def test_a_schema_that_is_none_is_blamed_on_its_plugin():
    registry = Registry()
    registry.add(PROVIDER, Component(name="x", summary="", open=None, options_schema={"type": "nonsense"}))
    with pytest.raises(PluginError, match="provider 'x' of plugin 'provider x': its schema is no JSON Schema"):
        registry.check_schemas()


def test_options_that_fit_never_load_the_validator():
    code = (
        "import sys; from relaykit.registry import Checker; "
        "assert Checker({'type': 'object', 'properties': {'a': {'type': 'integer'}}}).problems({'a': 1}) == []; "
        "print('jsonschema' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    "key", ["token", "api_key", "apiKey", "OPENAI_API_KEY", "password", "client-secret", "auth.tokens", "private_key"]
)
def test_a_key_that_holds_a_secret_is_known(key):
    assert is_secret_key(key)


@pytest.mark.parametrize(
    "key", ["max_tokens", "token_url", "env_key", "keys", "key", "secretary", "tokenizer", "maxTokens"]
)
def test_a_key_that_holds_none_is_left_alone(key):
    assert not is_secret_key(key)
