"""Files in the home under their SHA-256: what is attached here, and the cache of what was fetched for agents."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import anyio.to_thread

from relaykit.errors import NotFoundError, RefusedError, StoreError
from relaykit.model import ATTACHMENT_BYTES

STORE, CACHE = "attachments", "cache/attachments"
"""Below the home."""
_DAY = 86400.0
_KEPT_SECONDS, _KEPT_BYTES = 90 * _DAY, 4 * 2**30
_CACHED_SECONDS, _CACHED_BYTES = 30 * _DAY, 2**30
_UNFINISHED = ".unfinished-"
_UNFINISHED_SECONDS = 3600.0
_DIGEST = re.compile(r"[0-9a-f]{64}")


class AttachmentFiles:
    """The store: what is attached on this machine. What was kept last 90 days ago goes when something new comes.

    Args:
        home: The relay's; the store is a directory in it.
        most: Bytes that may be kept; over that, nothing more is taken.
    """

    def __init__(self, home: Path, most: int = _KEPT_BYTES) -> None:
        self._home = home
        self._most = most

    def keep(self, content: bytes) -> str:
        """Store a content; return its digest. RefusedError, StoreError."""
        if len(content) > ATTACHMENT_BYTES:
            raise RefusedError(f"the file has {len(content)} bytes; {ATTACHMENT_BYTES} may be attached")
        digest = sha256(content).hexdigest()
        try:
            left = _sweep(self._home / STORE, _KEPT_SECONDS)
            if not (known := _same(self._path(digest), content)) and left + len(content) > self._most:
                raise RefusedError(f"{left} bytes of attached files are kept already; {self._most} may be")
            if not known:
                _write(self._home, self._path(digest), content)
        except OSError as error:
            raise StoreError(f"the file cannot be stored: {error}") from error
        return digest

    def read(self, digest: str) -> bytes:
        """Return a content. NotFoundError, StoreError."""
        if not _DIGEST.fullmatch(digest):
            raise NotFoundError(f"no attached file has the digest {digest[:64]!r}")
        try:
            content = self._path(digest).read_bytes()
        except FileNotFoundError:
            raise NotFoundError(f"the attached file {digest} is no longer kept here") from None
        except OSError as error:
            raise StoreError(f"the attached file {digest} cannot be read: {error}") from error
        if sha256(content).hexdigest() != digest:
            raise NotFoundError(f"the attached file {digest} was changed on the disk")
        return content

    def _path(self, digest: str) -> Path:
        return self._home / STORE / digest[:2] / digest


class LentAttachments:
    """The store as it is lent to plugins: every call in a thread."""

    def __init__(self, home: Path) -> None:
        self._files = AttachmentFiles(home)

    async def keep(self, content: bytes) -> str:
        """Store a content; return its digest."""
        return await anyio.to_thread.run_sync(self._files.keep, content)

    async def read(self, sha256: str) -> bytes:
        """Return a content."""
        return await anyio.to_thread.run_sync(self._files.read, sha256)


def cached_for(home: Path, agent: str) -> Path:
    """Return the directory of the files that one agent gets: it may read all that is there, and none of another's."""
    return home / CACHE / agent


class AttachmentCache:
    """Files as one agent gets them, each by its name; the least used of all agents go when they are too many or too old.

    Args:
        home: The relay's; the cache is a directory in it.
        agent: Who gets them.
        most: Bytes of all files, of all agents; over that, the least lately used ones go.
    """

    def __init__(self, home: Path, agent: str, most: int = _CACHED_BYTES) -> None:
        self._home = home
        self._place = cached_for(home, agent)
        self._most = most

    def find(self, digest: str, name: str) -> Path | None:
        """Return where a file is, if it is there and is what its digest says. StoreError."""
        path = self._path(digest, name)
        try:
            if not path.is_file() or sha256(path.read_bytes()).hexdigest() != digest:
                return None
            os.utime(path)
        except OSError as error:
            raise StoreError(f"the cache of attached files cannot be used: {error}") from error
        return path

    def add(self, digest: str, name: str, content: bytes) -> Path:
        """Write a file down, others making room; return where it is. StoreError."""
        path = self._path(digest, name)
        try:
            _sweep(self._home / CACHE, _CACHED_SECONDS, self._most - len(content))
            _write(self._home, path, content)
        except OSError as error:
            raise StoreError(f"the cache of attached files cannot be used: {error}") from error
        return path

    def _path(self, digest: str, name: str) -> Path:
        return self._place / digest / name


def _same(path: Path, content: bytes) -> bool:
    """Whether a file has that content; if so, it is as good as new."""
    try:
        if path.read_bytes() != content:
            return False
    except FileNotFoundError:
        return False
    os.utime(path)
    return True


def _write(home: Path, path: Path, content: bytes) -> None:
    """Write a file, whole or not at all, whoever is killed meanwhile."""
    _private(home, path.parent)
    unfinished = path.parent / f"{_UNFINISHED}{uuid4().hex}"
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync(path.parent)


def _private(home: Path, directory: Path) -> None:
    if directory.is_dir():
        return
    if directory != home:
        _private(home, directory.parent)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sync(directory.parent)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(directory: Path, seconds: float, most: int | None = None) -> int:
    """Remove what was not used for so long, then the least lately used until the rest fits; return the bytes left."""
    now = time.time()
    files = sorted(_files(directory), reverse=True)  # the latest first
    left = 0
    for used, size, path in files:
        longest = _UNFINISHED_SECONDS if path.name.startswith(_UNFINISHED) else seconds
        if now - used > longest or (most is not None and left + size > most):
            path.unlink(missing_ok=True)
            with suppress(OSError):  # something else is in there
                path.parent.rmdir()
        else:
            left += size
    return left


def _files(directory: Path) -> Iterator[tuple[float, int, Path]]:
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(FileNotFoundError):  # swept by another relay of this home meanwhile
                about = (path := Path(folder, name)).stat()
                yield about.st_mtime, about.st_size, path
