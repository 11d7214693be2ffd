"""What a check of ``relaykit doctor`` found."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Level(StrEnum):
    """How good it is."""

    OK = "ok"
    WARN = "warn"
    """It works; someone should look at it."""
    FAIL = "fail"
    """Something will not work until it is mended."""


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    name: str
    level: Level
    text: str
    remedy: str = ""
