"""Words of a program, made fit for a fault or a question."""

from __future__ import annotations

import re

_KEY = re.compile(r"\b(sk-|eyJ)[\w.-]{8,}")


def one_line(message: str, limit: int = 300) -> str:
    """Return a message as one line of bounded length."""
    line = " ".join(message.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def plain(message: str) -> str:
    """Return a message as one line of bounded length, without anything that looks like a key."""
    return one_line(_KEY.sub(r"\1***", message))
