"""Writing for people and for programs."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from relaykit.errors import RelaykitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class OutputError(RelaykitError):
    """Standard output takes no more, for another reason than that its reader is gone."""


_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
"""What commands a terminal, ends a line, turns the direction of what is read, or is no letter at all."""
_BETWEEN = "  "
_NARROWEST = 8
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


def say(text: str = "", *, now: bool = False) -> None:
    """Write a line for people on standard output, ``now`` where the next one may take long."""
    write(text.encode(_encoding(), "backslashreplace").decode(_encoding()) + "\n", now=now)


def complain(text: str) -> None:
    """Write a line on standard error; where that takes none, nobody can be told, and whoever complains goes on."""
    with suppress(OSError):
        sys.stderr.write(f"relaykit: {text}\n")


def say_json(document: Any) -> None:
    """Write one JSON document on one line, at once."""
    write(json.dumps(document) + "\n", now=True)


def write(text: str = "", *, now: bool = False) -> None:
    """Write text on standard output as it is, ``now`` with all that was written before; after an error nothing is.

    Raises:
        BrokenPipeError: Nobody reads it any more.
        OutputError: It cannot be written for another reason.
    """
    try:
        sys.stdout.write(text)
        if now:
            sys.stdout.flush()
    except BrokenPipeError:
        reader_gone()
        raise
    except OSError as error:
        reader_gone()
        raise OutputError(f"standard output cannot be written: {error.strerror}; direct it elsewhere") from error


@contextmanager
def telling(done: str) -> Iterator[None]:
    """Have an error of standard output say what was done all the same: who does not learn of it does it twice."""
    try:
        yield
    except BrokenPipeError as error:
        raise OutputError(f"standard output is read no more; {done}") from error
    except OutputError as error:
        raise OutputError(f"{error}; {done}") from error


def reader_gone() -> None:
    """Nobody reads standard output any more: leave nothing that would be written at the end."""
    _to_nowhere(sys.stdout)


def all_told() -> None:
    """Leave nothing in the streams that could fail at the very end, where the interpreter would say so at length."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _to_nowhere(stream)


def _to_nowhere(stream: TextIO) -> None:
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123 - pathlib is not otherwise needed here
        os.dup2(nothing.fileno(), stream.fileno())


def painted(text: str, colour: str) -> str:
    """Return the text in a colour, where a terminal shows it and NO_COLOR is not set."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
        return text
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"


def plain(text: str) -> str:
    """Return text of an agent or a stranger so that a terminal takes no orders from it."""
    return re.sub(_CONTROL, _escaped, text.replace("\r\n", "\n"))


def clipped(text: str, width: int = 72) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(plain(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def indented(text: str, by: str = "    ") -> str:
    """Return a text with every line moved to the right."""
    return "\n".join(f"{by}{line}".rstrip() for line in plain(text).splitlines())


def clock_time(at: float) -> str:
    """Return wall-clock seconds as local time of day, to the millisecond; with the date where that is not today's."""
    told = time.localtime(at)
    form = "%H:%M:%S" if told[:3] == time.localtime()[:3] else "%Y-%m-%d %H:%M:%S"
    return time.strftime(form, told) + f".{int(at % 1 * 1000):03d}"


def moment(at: float) -> str:
    """Return wall-clock seconds as local date and time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows in columns that are as wide as they must be, on a terminal no wider than it is.

    The first column is what one copies: it is never cut.
    """
    lines = [list(head), *([plain(str(cell)) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if sys.stdout.isatty():
        from shutil import get_terminal_size  # noqa: PLC0415 - costs more than most commands do, and tables are few

        first, *others = widths
        widths = [first, *_narrowed(others, get_terminal_size().columns - first - len(_BETWEEN) * len(others))]
    for number, line in enumerate(lines):
        cells = [_shortened(cell, width).ljust(width) for cell, width in zip(line, widths, strict=True)]
        text = _BETWEEN.join(cells).rstrip()
        say(painted(text, "bold") if number == 0 else text)


def _narrowed(widths: Sequence[int], room: int) -> list[int]:
    """Return widths that fit: the widest are cut, all to the same width, and none beyond what can still be read."""
    widest = max(widths)
    while widest > _NARROWEST and sum(min(width, widest) for width in widths) > room:
        widest -= 1
    return [min(width, widest) for width in widths]


def _shortened(cell: str, width: int) -> str:
    """Return a cell that fits; of a path the end is kept."""
    if len(cell) <= width:
        return cell
    return f"…{cell[len(cell) - width + 1 :]}" if cell.startswith("/") else f"{cell[: width - 1]}…"


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code > 0xFF else f"\\x{code:02x}"  # noqa: PLR2004 - what two digits hold


def _encoding() -> str:
    return sys.stdout.encoding or "utf-8"
