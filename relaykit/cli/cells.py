"""Text measured by the cells of a terminal: what a letter takes there, and what a line holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.text import Text

from relaykit.cli.output import clipped, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NARROWEST = 2
"""A letter may take as much."""
_TAB = 4


def fitted(text: str, width: int) -> str:
    """Return the text on one line that takes exactly so many cells."""
    line = clipped(text, max(width, 1) * 4)
    if cell_len(line) > width > 0:
        line = set_cell_size(line, width - 1) + "…"
    return set_cell_size(line, max(width, 0))


def wrapped(text: str, width: int) -> Sequence[str]:
    """Return the whole text in lines of at most so many cells; nothing of it is left out, blanks neither."""
    width = max(width, _NARROWEST)
    lines = plain(text).expandtabs(_TAB).split("\n")
    return [piece for line in lines for piece in chop_cells(line, width) or [""]]


def folded(text: str, width: int) -> Sequence[str]:
    """Return prose in lines of at most so many cells, broken between words."""
    return joined(plain(text).split(), width, " ")


def joined(words: Iterable[str], width: int, between: str) -> Sequence[str]:
    """Return words in as few lines as they need; one is broken only where no line holds it."""
    lines: list[str] = []
    for word in words:
        if lines and cell_len(lines[-1] + between + word) <= width:
            lines[-1] += between + word
        else:
            lines += wrapped(word, width)
    return lines


def styled(*parts: tuple[str, str]) -> Text:
    """Return one line of pieces, each with its style; the terminal never breaks it."""
    return Text.assemble(*parts, no_wrap=True, overflow="crop")
