"""Whoever wrote a plugin is told where in it an error was raised."""

from __future__ import annotations

import json
import types

import pytest

from relaykit.relay.raised import raised_at

PLUGIN = """
import json

def reads(text):
    return json.loads(text)

def asks(other):
    return other()
"""


def module(name: str, text: str) -> types.ModuleType:
    made = types.ModuleType(name)
    exec(compile(text, f"/somewhere/{name}.py", "exec"), made.__dict__)
    return made


def error_of(function, *arguments):
    # As the core calls it: this module's frame is none of a plugin's.
    called = module("relaykit.made_up", "def call(function, *arguments): function(*arguments)")
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - what is raised is looked at
        called.call(function, *arguments)
    error = caught.value
    return error.with_traceback(error.__traceback__.tb_next)


def test_it_is_the_innermost_line_of_the_plugin_where_it_called_the_standard_library():
    error = error_of(module("parrot", PLUGIN).reads, "nonsense")
    assert isinstance(error, json.JSONDecodeError)
    assert raised_at(error) == "parrot.py:5"


def test_what_the_plugin_calls_is_not_the_plugin():
    other = module("library", "def fails(): raise ValueError('no')")
    assert raised_at(error_of(module("parrot", PLUGIN).asks, other.fails)) == "parrot.py:8"


def test_an_error_of_the_core_has_no_line_of_a_plugin():
    assert raised_at(error_of(json.loads, "nonsense")) == ""
