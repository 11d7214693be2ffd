"""What may have been meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def near(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean …?`` where a known word is much like this one, else nothing."""
    from difflib import get_close_matches  # noqa: PLC0415 - only when something is wrong

    match = get_close_matches(word, sorted(set(known)), 1)
    return f"; did you mean {match[0]!r}?" if match else ""
