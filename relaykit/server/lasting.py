"""What a process that outlives the relay was told of its tools: it cannot be told anew, so the next relay keeps to it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from msgspec import Struct

from relaykit.errors import StoreError
from relaykit.model import Secret

if TYPE_CHECKING:
    from pathlib import Path

_SHORTEST = 32


class Lasting(Struct, frozen=True):
    """The token of one agent's detached process, and where that process looks for the relay."""

    token: Secret
    port: int


def read_lasting(path: Path) -> Lasting | None:
    """Return what was kept; None where nothing was, or nothing that could be trusted: then all is made anew."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), encoding="ascii") as file:
            mode = os.fstat(file.fileno())
            kept = json.load(file)
            lasting = Lasting(Secret(str(kept["token"])), int(kept["port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    private = not mode.st_mode & 0o077 and mode.st_uid == os.getuid()
    return lasting if private and len(lasting.token.reveal()) >= _SHORTEST else None


def keep_lasting(path: Path, lasting: Lasting) -> None:
    """Keep it for the next relay, 0600, whole or not at all.

    Raises:
        StoreError: It cannot be written.
    """
    half = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        half.unlink(missing_ok=True)
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
            json.dump({"token": lasting.token.reveal(), "port": lasting.port}, file)
        half.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: what the agent's tools go by cannot be kept ({error.strerror})") from error
