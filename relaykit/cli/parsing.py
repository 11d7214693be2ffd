"""A parser for a command, made of its function's signature."""

from __future__ import annotations

import argparse
import inspect
import typing
from collections.abc import Callable, Sequence
from enum import Enum
from math import isfinite
from pathlib import Path
from string import ascii_lowercase
from typing import Any, NoReturn

from relaykit.cli.near import near
from relaykit.cli.parameters import Argument, Option, Rest
from relaykit.errors import UsageError

_WIDTH = 88
_MOST = 2**63 - 1
"""The largest number that a store can be asked for."""
_EVERYWHERE = "Everywhere: --home DIR (RELAYKIT_HOME), --debug"


class Parser(argparse.ArgumentParser):
    """Reads a command's words; UsageError says what is wrong with them."""

    def __init__(self, name: str, function: Callable[..., object]) -> None:
        super().__init__(
            prog=f"relaykit {name}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            add_help=False,
        )
        self._function = function
        self._rest: str | None = None
        self._rest_metavar = ""
        self._takes_words = False
        self._bare: dict[str, str] = {}
        self._words: Sequence[str] = ()
        self._flags = ["--help", "--home", "--debug"]
        hints = typing.get_type_hints(function, include_extras=True)
        for parameter in inspect.signature(function).parameters.values():
            self._take(parameter, *typing.get_args(hints[parameter.name])[:2])
        self.add_argument("--help", "-h", action="help", help="Show this and leave.")

    def format_help(self) -> str:
        """Return the help; only here is written what nothing but the help shows."""
        examples = "".join(f"\n  {line}" for line in getattr(self._function, "examples", ()))
        self.description = _wrapped(inspect.getdoc(self._function) or "")
        self.epilog = f"Examples:{examples}\n\n{_EVERYWHERE}" if examples else _EVERYWHERE
        if self._rest and not self.usage:
            usage = self.format_usage().partition("usage: ")[2].rstrip()
            self.usage = f"{usage} [-- {self._rest_metavar}]".replace("%", "%%")
        return super().format_help()

    def read(self, words: Sequence[str]) -> dict[str, Any]:
        """Return the function's arguments by name."""
        words, rest = _split(words) if self._rest else (list(words), ())
        self._words = words
        found = vars(self.parse_intermixed_args(_filled(words, self._bare)))
        return found | ({self._rest: rest} if self._rest else {})

    def error(self, message: str) -> NoReturn:
        """Raise what argparse complains of."""
        unknown = message.partition("unrecognized arguments: ")[2]
        hint = self._of_option(unknown.split()[0]) if unknown.startswith("-") else self._of_words(unknown)
        raise UsageError(f"{message}{hint}; see `{self.prog} --help`")

    def _of_option(self, unknown: str) -> str:
        """Return how an option was meant that is none, or that stands where none is read."""
        return "; options stand before `--`" if unknown in self._flags else near(unknown, self._flags)

    def _of_words(self, unknown: str) -> str:
        """Return how words that are too many were meant: one text without quotes, or a number with its unit."""
        pairs = zip(self._words, self._words[1:], strict=False)
        odd = next((pair for pair in pairs if pair[0] in self._bare and _with_unit(pair[1])), None)
        if unknown and odd:
            return f"; {odd[0]} takes a number of seconds, not {odd[1]!r}"
        return "; quote a text of several words" if unknown and self._takes_words else ""

    def _take(self, parameter: inspect.Parameter, hint: Any, about: object) -> None:
        kind = _inner(hint)
        match about:
            case Argument():
                self._takes_words = True
                optional: dict[str, Any] = {}
                if parameter.default is not parameter.empty:
                    optional = {"nargs": "?", "default": parameter.default}
                self.add_argument(
                    parameter.name, metavar=about.metavar, help=about.help, type=_reader(kind, None), **optional
                )
            case Option():
                self._flags.extend(about.flags)
                self._bare.update({flag: about.bare for flag in about.flags if about.bare is not None})
                how = {"default": parameter.default, "help": about.help} | _how(kind, about)
                self.add_argument(*about.flags, dest=parameter.name, **how)
            case Rest():
                self._rest, self._rest_metavar = parameter.name, about.metavar


def _wrapped(text: str) -> str:
    """Return a docstring's paragraphs in lines for a terminal."""
    import textwrap  # noqa: PLC0415 - for the help alone

    return "\n\n".join(textwrap.fill(" ".join(paragraph.split()), _WIDTH) for paragraph in text.split("\n\n"))


def _inner(hint: Any) -> Any:
    """Return the type inside ``T | None``."""
    return next((kind for kind in typing.get_args(hint) if kind is not type(None)), hint) if _optional(hint) else hint


def _optional(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def _how(kind: Any, about: Option) -> dict[str, Any]:
    if kind is bool:
        return {"action": "store_true"}
    if typing.get_origin(kind) is tuple:
        reader = _reader(typing.get_args(kind)[0], None)
        return {"action": "append", "default": [], "type": reader, "metavar": about.metavar}
    metavar = "|".join(member.value for member in kind) if issubclass(kind, Enum) else about.metavar
    return {"type": _reader(kind, about.least), "metavar": metavar}


def _reader(kind: Any, least: float | None) -> Callable[[str], Any]:
    def read(word: str) -> Any:
        if kind is str and not _is_text(word):
            raise argparse.ArgumentTypeError(f"{word!r} is not UTF-8 text")
        if kind is Path and not word:
            raise argparse.ArgumentTypeError("'' is no path")
        try:
            value = kind(word)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{word!r} {_misfit(kind, word)}") from None
        if isinstance(value, float) and not isfinite(value):
            raise argparse.ArgumentTypeError(f"{word} is no number that can be used")
        if least is not None and value < least:
            raise argparse.ArgumentTypeError(f"{word} is less than {least:g}")
        if isinstance(value, int) and value > _MOST:
            raise argparse.ArgumentTypeError(f"{word} is more than {_MOST}")
        return value

    return read


def _is_text(word: str) -> bool:
    """Whether all of a word could be read as text: what could not is no name or message. A path may be any bytes."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _misfit(kind: Any, word: str) -> str:
    if issubclass(kind, Enum):
        values = [member.value for member in kind]
        return f"is none of {', '.join(values)}{near(word, values)}"
    return "is no number"


def _split(words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    end = words.index("--") if "--" in words else len(words)
    return list(words[:end]), tuple(words[end + 1 :])


def _filled(words: Sequence[str], bare: dict[str, str]) -> list[str]:
    """Give options that stand without their number their default: what follows them is then another word."""
    end = words.index("--") if "--" in words else len(words)
    following = [*words[1:end], ""]
    filled = [
        f"{word}={bare[word]}" if word in bare and not _is_number(after) else word
        for word, after in zip(words[:end], following, strict=False)
    ]
    return [*filled, *words[end:]]


def _with_unit(word: str) -> bool:
    return not _is_number(word) and _is_number(word.rstrip(ascii_lowercase))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
