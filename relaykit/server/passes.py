"""Who may come in: one token for the person, one for each session that is open."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from hmac import compare_digest
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from relaykit.errors import StoreError
from relaykit.model import USER, Secret
from relaykit.plugin import ToolUses
from relaykit.relay.directories import private_directory
from relaykit.server.rates import Bucket

if TYPE_CHECKING:
    from relaykit.relay.doorway import Hearing

TOKEN_FILE = "token"  # noqa: S105 - its name
"""The person's token, in the home."""
_BYTES = 32
_PER_SECOND, _BURST = 20.0, 60.0
_WAITS = 8


class Caller(Struct, eq=False):
    """Someone whose token was good."""

    name: str
    """The agent's id, or the person's name: the sender of what they send."""
    is_agent: bool
    session: Hearing | None = None
    """Takes what is reported of the agent's session; None for a person, who has none."""
    uses: ToolUses = field(default_factory=ToolUses)
    """What the agent's session says of its uses of the tools."""
    requests: Bucket = field(default_factory=lambda: Bucket(_PER_SECOND, _BURST))
    waits_left: int = _WAITS
    """How many more of its calls may wait at once."""


class Passes:
    """The tokens that are good now. They are nowhere but here, and the person's in its file."""

    def __init__(self) -> None:
        self._callers: dict[Caller, bytes] = {}

    @contextmanager
    def admit(self, caller: Caller, token: Secret | None = None) -> Iterator[Secret]:
        """Let a caller in while the context is open; yield its token, a new one where none is given."""
        token = token or Secret(secrets.token_urlsafe(_BYTES))
        self._callers[caller] = token.reveal().encode()
        try:
            yield token
        finally:
            del self._callers[caller]

    def caller(self, token: bytes) -> Caller | None:
        """Return whose token it is. Every one is compared, in a time that does not tell how much fits."""
        found = None
        for caller, known in self._callers.items():
            if compare_digest(known, token):
                found = caller
        return found


def user_token(home: Path) -> Secret:
    """Return the person's token; it is made, 0600, when it is first needed.

    Raises:
        StoreError: It cannot be read or written, or others can read it.
    """
    path = private_directory(home) / TOKEN_FILE
    try:
        _make(path)
        with path.open(encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode
            token = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{path}: the token cannot be read ({error}); remove the file, and a new one is made"
        ) from error
    if mode & 0o077:
        raise StoreError(f"{path}: others can read the token; remove the file, and a new one is made")
    if len(token) < _BYTES:
        raise StoreError(f"{path}: it holds no token; remove the file, and a new one is made")
    return Secret(token)


def _make(path: Path) -> None:
    """Write a new token, whole or not at all; where there is one it stays."""
    if path.exists():
        return
    half = path.with_name(f"{TOKEN_FILE}.{os.getpid()}.new")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(_BYTES))
    try:
        os.link(half, path)  # of two relays that start at once the first one's stays
    except FileExistsError:
        pass
    finally:
        half.unlink()


def person(name: str = USER) -> Caller:
    """Return the caller that the person's token stands for."""
    return Caller(name=name, is_agent=False)
