"""Reading JSON that may be anything: what is missing or of another type reads as empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Fields = Mapping[str, Any]
"""An object of JSON."""
_ENDLESS = 1e300


def table(data: object, *path: str) -> Fields:
    """Return the object at a path."""
    found = _at(data, path)
    return found if isinstance(found, dict) else {}


def text(data: object, *path: str) -> str:
    """Return the string at a path."""
    found = _at(data, path)
    return found if isinstance(found, str) else ""


def number(data: object, *path: str) -> int | None:
    """Return the whole number at a path."""
    found = _at(data, path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def decimal(data: object, *path: str) -> float | None:
    """Return the number at a path, whole or not; None where it is none that can be reckoned with."""
    found = _at(data, path)
    if not isinstance(found, int | float) or isinstance(found, bool) or not abs(found) < _ENDLESS:
        return None
    return float(found)


def identifier(data: object, *path: str) -> int | str | None:
    """Return the id of a request at a path; true is none, though it would be found under 1."""
    found = _at(data, path)
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None


def rows(data: object, *path: str) -> list[Fields]:
    """Return the objects of the list at a path."""
    found = _at(data, path)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def strings(data: object, *path: str) -> list[str]:
    """Return the strings of the list at a path."""
    found = _at(data, path)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _at(data: object, path: tuple[str, ...]) -> object:
    for name in path:
        if not isinstance(data, dict):
            return None
        data = data.get(name)
    return data
