"""Import a command, read its words, and call it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from relaykit.cli.parsing import Parser
from relaykit.cli.table import PLUGINS

if TYPE_CHECKING:
    from relaykit.cli.table import Entry

F = TypeVar("F", bound=Callable[..., object])


def examples(*lines: str) -> Callable[[F], F]:
    """Give a command the examples of its help."""

    def give(function: F) -> F:
        function.__dict__["examples"] = lines
        return function

    return give


def call(entry: Entry, words: Sequence[str]) -> int:
    """Call a command with its words; return its exit code."""
    if entry.group == PLUGINS:
        function = _target_of_plugin(entry)
        gc.enable()
        result = function(list(words), *_lent(entry))
    else:
        function = _target(entry)
        gc.enable()
        parser = Parser(entry.words, function)
        try:
            arguments = parser.read(words)
        except SystemExit as leave:  # argparse has shown the help
            return int(leave.code or 0)
        result = function(**arguments)
    return result if isinstance(result, int) else 0


def help_of(entry: Entry) -> str:
    """Return the help of a built-in command."""
    return Parser(entry.words, _target(entry)).format_help()


def _lent(entry: Entry) -> Sequence[object]:
    if not entry.lent:
        return ()
    from relaykit.cli.lending import Lending  # noqa: PLC0415 - a relay's parts, which few commands need

    return [Lending(entry.words)]


def _target_of_plugin(entry: Entry) -> Callable[..., Any]:
    from relaykit.registry.blaming import blaming  # noqa: PLC0415 - the built-in commands have no plugin to blame

    with blaming(f"command {entry.words!r} of plugin {entry.plugin}: importing {entry.target!r}"):
        return _target(entry)


def _target(entry: Entry) -> Callable[..., Any]:
    module, _, name = entry.target.partition(":")
    target: Callable[..., Any] = getattr(import_module(module), name)
    return target
