"""Habits of the source, of the tests and of the hooks."""

from __future__ import annotations

import ast
import inspect
import re

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


def numbered(module):
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"[ (]\?\d", node.value):
            yield node.lineno


def test_no_statement_numbers_its_placeholders(modules):
    """Python 3.12 warns of it where the values are a sequence, and 3.14 refuses it."""
    assert [f"{module.path}:{line}" for module in modules for line in numbered(module)] == []


def test_a_numbered_placeholder_would_be_seen(tmp_path, modules):
    path = tmp_path / "x.py"
    path.write_text('A = "SELECT 1 WHERE ? = 2"\nB = """\nDELETE FROM x WHERE y = ?1\n"""\n')
    assert list(numbered(type(modules[0])("x", path))) == [2]


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_takes_nothing_and_says_what_it_is(name):
    hook = getattr(hooks, name)
    assert inspect.signature(hook).parameters == {}
    assert inspect.getdoc(hook)
    assert inspect.signature(hook).return_annotation.startswith("Iterable[")
