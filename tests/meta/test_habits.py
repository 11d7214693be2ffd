"""Habits of the tests and of the hooks."""

from __future__ import annotations

import ast
import inspect

import pytest

from relaykit.plugin import hooks
from relaykit.registry import HOOKS

CLOCKS = {"time", "anyio", "asyncio", "trio"}


def sleeps(module):
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"{clock}.sleep" for clock in CLOCKS}:
            yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module in CLOCKS:
            yield from (node.lineno for alias in node.names if alias.name == "sleep")


def test_no_test_sleeps(tests):
    assert [f"{module.path}:{line}" for module in tests for line in sleeps(module)] == []


def test_a_sleep_would_be_seen(tmp_path, tests):
    path = tmp_path / "test_x.py"
    path.write_text("import anyio\nfrom time import sleep\nasync def test_x():\n    await anyio.sleep(1)\n")
    assert sorted(sleeps(type(tests[0])("test_x", path))) == [2, 4]


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_takes_nothing_and_says_what_it_is(name):
    hook = getattr(hooks, name)
    assert inspect.signature(hook).parameters == {}
    assert inspect.getdoc(hook)
    assert inspect.signature(hook).return_annotation.startswith("Iterable[")
