"""Reading JSON that may be anything: what is missing or of another type reads as empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Fields = Mapping[str, Any]


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


def flat(data: Fields, before: str = "") -> dict[str, Any]:
    """Return tables in tables as one, with dots in its keys; a table whose own keys have dots stays whole."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping) and value and not any("." in name for name in value):
            found |= flat(value, f"{before}{key}.")
        else:
            found[before + key] = value
    return found


def one_line(message: str, limit: int = 300) -> str:
    """Return a message as one line of bounded length."""
    line = " ".join(message.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _at(data: object, path: tuple[str, ...]) -> object:
    for name in path:
        if not isinstance(data, dict):
            return None
        data = data.get(name)
    return data
