"""What is wrong with a value, and where it stands."""

from __future__ import annotations

import json
import re

from msgspec import Struct
from msgspec.structs import replace

Place = tuple[str | int, ...]
"""Where something stands in a tree of tables and lists."""
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Problem(Struct, frozen=True):
    """One thing that is wrong, where, and what would be right."""

    path: Place
    text: str

    def under(self, *prefix: str | int) -> Problem:
        """Return the same problem seen from further out."""
        return replace(self, path=(*prefix, *self.path))

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.text}" if self.path else self.text


def dotted(path: Place) -> str:
    """Return a path as TOML writes it, a place in a list in brackets."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{_quoted(part)}" for part in path]
    return "".join(parts).removeprefix(".")


def _quoted(key: str) -> str:
    # What the core calls a use, such as agents.reviewer, is a path already.
    return key if all(map(_BARE.fullmatch, key.split("."))) else json.dumps(key, ensure_ascii=False)
