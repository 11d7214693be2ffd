"""What a program says, made fit for a fault, a question or a block."""

from __future__ import annotations

import re

OUTPUT_LIMIT = 64 * 1024
"""Characters of a tool's output that a block keeps: its beginning and its end."""
_KEY = re.compile(r"\b(sk-|eyJ)[\w.-]{8,}")


def one_line(message: str, limit: int = 300) -> str:
    """Return a message as one line of bounded length."""
    line = " ".join(message.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def without_keys(message: str) -> str:
    """Return a message as one line of bounded length, without anything that looks like a key."""
    return one_line(_KEY.sub(r"\1***", message))


def capped(output: str) -> str:
    """Return the beginning and the end of an output that is longer than ``OUTPUT_LIMIT``."""
    if len(output) <= OUTPUT_LIMIT:
        return output
    half = OUTPUT_LIMIT // 2
    return f"{output[:half]}\n… {len(output) - 2 * half} characters left out …\n{output[-half:]}"
