"""The text that a command is given: a word of the command line, or standard input."""

from __future__ import annotations

import sys

from relaykit.errors import UsageError

_MOST = 64 * 2**20
"""More than any mailbox takes; reading stops here instead of filling the memory."""


def given_text(word: str | None) -> str:
    """Return the word, or what standard input holds where it is ``-`` or absent; UsageError where there is nothing."""
    if word is None and sys.stdin.isatty():
        raise UsageError("there is no text; give it as an argument, or on standard input")
    text = _read() if word in (None, "-") else word
    if not text or not text.strip():
        raise UsageError("the text is empty")
    return text


def _read() -> str:
    data = sys.stdin.buffer.read(_MOST + 1)
    if len(data) > _MOST:
        raise UsageError(f"standard input is longer than {_MOST // 2**20} MiB")
    try:
        return data.decode().rstrip("\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is not UTF-8 text: {error.reason} at byte {error.start}") from None
