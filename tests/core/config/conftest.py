"""Configurations as files, checked against plugins made up for the test."""

from __future__ import annotations

from textwrap import dedent

import pytest

import relaykit.builtin.hooks
from relaykit import config
from relaykit.plugin import Component
from relaykit.registry import MAILBOX, PROVIDER, SESSION_STORE, STATUS_SINK, TRANSPORT, Registry

MADE_UP = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "model": {"type": "string", "minLength": 1},
        "delay": {"type": "number", "minimum": 0, "default": 0},
        "credential": {"type": "string", "format": "credential"},
        "more": {"type": "object"},
    },
}
DOCK = {
    "type": "object",
    "additionalProperties": False,
    "required": ["url"],
    "properties": {"url": {"$ref": "#/$defs/url"}, "token": {"type": "string", "format": "credential"}},
    "$defs": {"url": {"type": "string", "pattern": "^https?://", "x-means": "a URL"}},
}


def _component(name, schema=None):
    more = {} if schema is None else {"options_schema": schema}
    return Component(name=name, summary="made up", open=dict, **more)


@pytest.fixture
def registry():
    """The built-in components, and a provider, a transport, a sink and stores that are made up."""
    made = Registry()
    taken = made.register(relaykit.builtin.hooks, "builtin")
    assert taken.offers
    made.add(PROVIDER, _component("made-up", MADE_UP))
    made.add(TRANSPORT, _component("dock", DOCK))
    made.add(STATUS_SINK, _component("made-up-sink"))
    for kind, known in ((MAILBOX, made.mailboxes), (SESSION_STORE, made.session_stores)):
        if "sqlite" not in known:
            made.add(kind, _component("sqlite"))
    return made


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """A directory, an environment and a user of the test's own."""
    monkeypatch.chdir(tmp_path)
    for variable in ("RELAYKIT_HOME", "RELAYKIT_PLUGINS", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def write(tmp_path):
    """Write ``relaykit.toml``."""

    def written(text, name="relaykit.toml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    return written


@pytest.fixture
def load(write, registry):
    """Write a configuration and load it."""

    def loaded(text="", **more):
        write(text)
        return config.load(registry=registry, **more)

    return loaded
