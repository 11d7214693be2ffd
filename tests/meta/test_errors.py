"""The error tree at the top of errors.py is the tree of the classes."""

from __future__ import annotations

import inspect
import re

from relaykit import errors

LINE = re.compile(r"^(?P<indent>[│├└─ ]*)(?P<name>[A-Za-z]+Error)\b(?: +(?:exit (?P<code>\d+):)?)?")


def drawn():
    """Return the parent of each class in the drawing, and its exit code where one is said."""
    parents, codes, above = {}, {}, {}
    for line in (errors.__doc__ or "").splitlines():
        if match := LINE.match(line):
            depth = len(match["indent"])
            above = {level: name for level, name in above.items() if level < depth}
            parents[match["name"]] = above[max(above)] if above else None
            codes[match["name"]] = match["code"]
            above[depth] = match["name"]
    return parents, codes


def classes():
    return {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.RelaykitError)
    }


def test_every_error_class_is_drawn_below_its_parent():
    parents, _ = drawn()
    real = {name: cls.__base__.__name__ for name, cls in classes().items()}
    assert parents == {**real, "RelaykitError": None}


def test_every_exit_code_is_the_one_that_is_drawn():
    _, codes = drawn()
    said = {name: int(code) for name, code in codes.items() if code}
    assert len(said) >= 8
    assert said == {name: classes()[name].exit_code for name in said}


def test_every_error_class_says_what_it_means():
    assert [name for name, cls in classes().items() if not (cls.__doc__ or "").strip()] == []
