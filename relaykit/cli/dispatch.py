"""Find the command that is meant, and call it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from relaykit import __version__
from relaykit.cli.near import near
from relaykit.cli.output import write
from relaykit.cli.overview import group_help, overview
from relaykit.cli.table import BUILT_IN, Entry
from relaykit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_HELP = ("--help", "-h")
_VERSION = ("--version", "-V")
_OPTIONS = ("--help", "--version", "--home", "--debug")


def dispatch(words: Sequence[str]) -> int:
    """Run the command that the words mean; return its exit code."""
    words = _take_global(words)
    if not words:
        sys.stderr.write(overview())
        return UsageError.exit_code
    first, *rest = words
    if first in (*_HELP, "help"):
        return dispatch([*rest, "--help"]) if rest else _show_overview()
    if first in _VERSION:
        return _show_version(first, rest)
    if first.startswith("-"):
        raise UsageError(f"there is no option {first!r}{near(first, _OPTIONS)}; see `relaykit --help`")
    family = [entry for entry in BUILT_IN if entry.words.split()[0] == first] or _from_plugins(first)
    return _run_of(family, first, rest)


def _run_of(family: Sequence[Entry], first: str, rest: Sequence[str]) -> int:
    from relaykit.cli.calling import call  # noqa: PLC0415 - not for the help of all

    seconds = {entry.words.partition(" ")[2]: entry for entry in family}
    if rest and rest[0] and rest[0] in seconds:  # an empty word is a word of a command, not the lack of a second one
        return call(seconds[rest[0]], rest[1:])
    if "" in seconds:
        return call(seconds[""], rest)
    if not rest or rest[0] in _HELP:
        (sys.stdout if rest else sys.stderr).write(group_help(first, family))
        return 0 if rest else UsageError.exit_code
    raise UsageError(
        f"there is no command 'relaykit {first} {rest[0]}'{near(rest[0], seconds)}; see `relaykit {first} --help`"
    )


def _from_plugins(first: str) -> Sequence[Entry]:
    from relaykit.cli.added import added_commands  # noqa: PLC0415 - looks through all that is installed

    entries = added_commands()
    for entry in entries:
        if entry.words == first:
            return [entry]
    known = [entry.words.split()[0] for entry in (*BUILT_IN, *entries)]
    raise UsageError(f"there is no command {first!r}{near(first, known)}; see `relaykit --help`")


def _show_version(flag: str, rest: Sequence[str]) -> int:
    if rest:
        raise UsageError(f"{flag} stands alone; leave out {' '.join(rest)}")
    write(f"relaykit {__version__}\n")
    return 0


def _show_overview() -> int:
    from relaykit.cli.added import added_commands  # noqa: PLC0415 - looks through all that is installed

    write(overview(added_commands()))
    return 0


def _absolute(directory: str) -> str:
    try:
        return os.path.abspath(os.path.expanduser(directory))  # noqa: PTH100, PTH111 - pathlib is slow to import
    except FileNotFoundError:
        raise UsageError("--home: the directory that you are in is gone; name one from / on, or go elsewhere") from None


def _take_global(words: Sequence[str]) -> list[str]:
    """Take out what stands for every command, wherever it stands before ``--``."""
    end = words.index("--") if "--" in words else len(words)
    left, options = [], iter(words[:end])
    for word in options:
        if word == "--home" or word.startswith("--home="):
            directory = next(options, "") if word == "--home" else word.removeprefix("--home=")
            if not directory:
                raise UsageError("--home needs a directory")
            os.environ["RELAYKIT_HOME"] = _absolute(directory)
        elif word != "--debug":
            left.append(word)
    return [*left, *words[end:]]
