"""Files and functions stay small enough to be read."""

from __future__ import annotations

import ast
from statistics import median, quantiles

LONGEST_FILE = 300
LONGEST_FUNCTION = 60
CORE = ("model", "plugin", "registry", "config", "mailbox", "sessions", "relay")


def functions(modules):
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield f"{module.name}.{node.name}", node.end_lineno - node.lineno + 1


def test_no_file_is_long(modules):
    sizes = {module.name: len(module.path.read_text().splitlines()) for module in modules}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}


def test_no_function_is_long(modules):
    assert {name: size for name, size in functions(modules) if size > LONGEST_FUNCTION} == {}


def test_most_functions_are_short(modules):
    sizes = [size for _, size in functions(modules)]
    assert median(sizes) <= 8
    assert quantiles(sizes, n=10)[8] <= 25
