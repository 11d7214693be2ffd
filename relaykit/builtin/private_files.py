"""Files that only their owner may read, replaced so that a crash leaves the old one or the new one."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from relaykit.errors import CredentialError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW
_LOCK_SECONDS = 10.0
_PAUSE = 0.005
_BLOCK = 1 << 16


def read_private(path: Path) -> bytes | None:
    """Return what is in a file, or None where there is none.

    Raises:
        CredentialError: It is someone else's, others may open it, or it is no plain file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | _FLAGS)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CredentialError(f"{path}: cannot be opened: {error.strerror}; it must be a file of your own") from error
    try:
        _check(path, os.fstat(descriptor), stat.S_ISREG, "600")
        return b"".join(iter(lambda: os.read(descriptor, _BLOCK), b""))
    finally:
        os.close(descriptor)


def check_directory(path: Path) -> None:
    """Raise CredentialError where a directory is someone else's, or others may look into it."""
    _check(path, path.lstat(), stat.S_ISDIR, "700")


def replace_private(path: Path, data: bytes) -> None:
    """Write a file, 0600: beside it, synced, renamed, and the renaming synced. One writer at a time.

    Raises:
        CredentialError: It could not be written; what was there is there still.
    """
    beside = path.with_name(path.name + ".new")
    try:
        _write_synced(beside, data)
        os.rename(beside, path)  # noqa: PTH104 - the system call that it is
        sync_directory(path.parent)
    except OSError as error:
        raise CredentialError(f"{path}: cannot be written: {error.strerror}") from error


def _write_synced(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _FLAGS, 0o600)
    try:
        os.fchmod(descriptor, 0o600)  # one that a crash left may have been touched since
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Make the names in a directory safe from loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path, seconds: float = _LOCK_SECONDS) -> Iterator[bool]:
    """Hold a lock that the kernel frees with the process; yields False where another one kept it so long."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o600)
    try:
        yield _lock(descriptor, seconds)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_PAUSE)
        else:
            return True


def _check(path: Path, about: os.stat_result, is_kind: Callable[[int], bool], mode: str) -> None:
    if about.st_uid != os.geteuid():
        raise CredentialError(f"{path}: it belongs to user {about.st_uid}; credentials are read from your own alone")
    if not is_kind(about.st_mode):
        raise CredentialError(f"{path}: it is not what belongs there; move it away")
    if found := stat.S_IMODE(about.st_mode) & 0o077:
        raise CredentialError(f"{path}: others may open it (mode {found:03o} beside yours); chmod {mode} {path}")
