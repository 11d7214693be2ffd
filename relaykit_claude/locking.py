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
    path = place / f"{session}.lock"
    lock = _taken(path, session)
    try:
        yield
    finally:
        # While it is still held: nobody else's can have the name, see ``_taken``.
        path.unlink(missing_ok=True)
        os.close(lock)


def _taken(path: Path, session: str) -> int:
    """Return the lock, held on the file that has the name now: a holder removes it, so another may have it since."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            _take(lock, session)
            if _is_at(lock, path):
                return lock
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)


def _is_at(lock: int, path: Path) -> bool:
    held = os.fstat(lock)
    try:
        named = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino)


def _take(lock: int, session: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise agent_error(
            "in_use", f"session {session} is carried by another relay's claude; stop that agent first"
        ) from None
