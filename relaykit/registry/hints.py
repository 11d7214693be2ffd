"""What may have been meant."""

from __future__ import annotations

from collections.abc import Iterable

_SHORTEST = 4


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the one of the known names that is most like it, if any is."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake pays for it

    names = sorted(known)
    if near := get_close_matches(name, names, n=1):
        return near[0]
    # A short word for a long one: what the long one begins with may be it.
    beginnings = {known[: len(name)]: known for known in reversed(names) if len(name) >= _SHORTEST}
    return next((beginnings[start] for start in get_close_matches(name, beginnings, n=1, cutoff=0.75)), None)


def near(name: str, known: Iterable[str], word: str = "known") -> str:
    """Return the end of a message about an unknown name: what is like it, or all that there is."""
    names = sorted(known)
    if found := nearest(name, names):
        return f"; did you mean {found!r}?"
    return f"; {word}: {', '.join(names) or 'none'}"
