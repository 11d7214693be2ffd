"""The help of ``relaykit`` itself, printed from the table without importing a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.cli.table import BUILT_IN, GROUPS, PLUGINS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from relaykit.cli.table import Entry

_HEAD = """\
Usage: relaykit COMMAND [OPTIONS]

Keeps coding agents resident, gives each an address, and carries messages to and from them.
"""
_FOOT = """\
everywhere
  --help         What a command does, with examples.
  --json         One JSON document, or JSON lines for streams, where a command shows something.
  --home DIR     Where messages and sessions are kept; RELAYKIT_HOME, or the platform's state directory.
  --debug        Show tracebacks.
  --version      Print the version.

examples
  relaykit run --provider codex --agent reviewer
  relaykit send reviewer "Look at the last commit." --wait
  relaykit trace 5f0c21e8
"""


def overview(from_plugins: Sequence[Entry] = ()) -> str:
    """Return the help of ``relaykit``."""
    groups = [_group(name, (row for row in BUILT_IN if row.group == name)) for name in GROUPS]
    if from_plugins:
        groups.append(_group(PLUGINS, from_plugins))
    return "\n".join([_HEAD, *groups, _FOOT])


def group_help(word: str, entries: Iterable[Entry]) -> str:
    """Return the help of a first word that needs a second."""
    return f"Usage: relaykit {word} COMMAND [OPTIONS]\n\n{_group('commands', entries)}"


def _group(name: str, entries: Iterable[Entry]) -> str:
    return "\n".join([name, *(f"  {entry.words:<14} {entry.summary}" for entry in entries)]) + "\n"
