"""One process for each conversation: two that go on with one write both into it, and claude lets them."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from relaykit_claude.faults import agent_error

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def session_lock(session: str) -> Iterator[None]:
    """Hold a conversation for this process; the kernel lets go of it however the process ends.

    Raises:
        ProviderError: Another process of this user holds it.
    """
    place = Path(tempfile.gettempdir(), f"relaykit-claude-{os.getuid()}")
    place.mkdir(mode=0o700, exist_ok=True)
    if place.stat().st_uid != os.getuid():
        raise agent_error("locks", f"{place} belongs to another user; remove it, or set TMPDIR")
    lock = os.open(place / f"{session}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _take(lock, session)
        yield
        (place / f"{session}.lock").unlink(missing_ok=True)
    finally:
        os.close(lock)


def _take(lock: int, session: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise agent_error(
            "in_use", f"session {session} is carried by another relay's claude; stop that agent first"
        ) from None
