"""One process for each conversation: two that go on with one write both into it, and claude lets them."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from relaykit_claude.faults import agent_error

if TYPE_CHECKING:
    from collections.abc import Iterator


class SessionLocks:
    """The conversations that one process has carried, held until it is left: it goes on to another by ``/clear``."""

    def __init__(self, config: Path, held: ExitStack) -> None:
        self._config = config
        self._held = held
        self._names: set[str] = set()

    def hold(self, session: str) -> None:
        """Hold a conversation, too.

        Raises:
            ProviderError: Another process of this user holds it.
        """
        if session not in self._names:
            self._held.enter_context(session_lock(session, self._config))
            self._names.add(session)


@contextmanager
def session_locks(session: str, config: Path) -> Iterator[SessionLocks]:
    """Hold a conversation of a configuration directory, and those that the process goes on to.

    Raises:
        ProviderError: Another process of this user holds the first.
    """
    with ExitStack() as held:
        locks = SessionLocks(config, held)
        locks.hold(session)
        yield locks


@contextmanager
def session_lock(session: str, config: Path) -> Iterator[None]:
    """Hold a conversation for this process; the kernel lets go of it however the process ends.

    Raises:
        ProviderError: Another process of this user holds it.
    """
    path = _place(config) / f"{session}.lock"
    lock = _taken(path, session)
    try:
        yield
    finally:
        # While it is still held: nobody else's can have the name, see ``_taken``.
        path.unlink(missing_ok=True)
        os.close(lock)


def _place(config: Path) -> Path:
    """Return the directory of the locks: beside the transcripts, so that who shares these finds those, too.

    Where nothing can be written there, no conversation can either; then it is one among what is temporary.
    """
    beside = config / "relaykit-locks"
    with suppress(OSError):  # whether it is there and can be used is looked at next
        config.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.mkdir(mode=0o700, exist_ok=True)
    if os.access(beside, os.W_OK | os.X_OK):
        return beside
    place = Path(tempfile.gettempdir(), f"relaykit-claude-{os.getuid()}")
    place.mkdir(mode=0o700, exist_ok=True)
    if place.stat().st_uid != os.getuid():
        raise agent_error("locks", f"{place} belongs to another user; remove it, or set TMPDIR")
    return place


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
