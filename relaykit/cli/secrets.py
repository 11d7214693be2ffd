"""Secrets come from a prompt or from standard input, never from the command line, where everyone sees them."""

from __future__ import annotations

import sys
from getpass import getpass

from relaykit.errors import UsageError
from relaykit.model import Secret

_MOST = 64 * 1024


def asked_secret(name: str, word: str | None) -> Secret:
    """Return a secret: asked for in a terminal, else what standard input holds, without its last line end.

    Raises:
        UsageError: There is none, or a word stands where none may stand. It is not repeated: it may be the secret.
    """
    if word not in (None, "-"):
        raise UsageError(
            "a secret is never given on the command line, where everyone on this machine sees it; leave it out and "
            "be asked, or give it on standard input; and change it, if that was one"
        )
    text = _prompted(name) if word is None and sys.stdin.isatty() else _read()
    if not text:
        raise UsageError("the secret is empty")
    return Secret(text)


def _prompted(name: str) -> str:
    try:
        return getpass(f"Secret for {name}: ")
    except EOFError:
        raise UsageError(f"no secret was given for {name}: type it and press Enter") from None


def _read() -> str:
    data = sys.stdin.buffer.read(_MOST + 1)
    if len(data) > _MOST:
        raise UsageError(f"standard input is longer than {_MOST // 1024} KiB: no secret is")
    try:
        return data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:  # not chained: the error holds what it could not read
        raise UsageError("standard input is not UTF-8 text") from None
