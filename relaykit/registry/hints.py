"""What may have been meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the one of the known names that is most like it, if any is."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake pays for it

    return next(iter(get_close_matches(name, sorted(known), n=1)), None)


def near(name: str, known: Iterable[str], word: str = "known") -> str:
    """Return the end of a message about an unknown name: what is like it, or all that there is."""
    names = sorted(known)
    if found := nearest(name, names):
        return f"; did you mean {found!r}?"
    return f"; {word}: {', '.join(names) or 'none'}"
