"""What one session is equipped with: its directories and files, and the words and variables that name them.

This is the one place where a session's settings, tools, hooks and skills are put together.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relaykit_claude.launch import settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from relaykit.plugin import SessionRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """A session's files, written."""

    place: Path
    """A directory of its own for what is temporary."""
    words: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def equip(request: SessionRequest, home: Path) -> Iterator[Equipment]:
    """Write what a session needs below ``home``, and remove afterwards what is only for its time."""
    for name in ("tmp", "run"):
        (home / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    words = [f"--settings={json.dumps(chosen)}"] if (chosen := settings(request.approval)) else []
    yield Equipment(place=home, words=tuple(words))
