"""Files of a profile in an agent's workspace: written where they are absent, and never outside of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path, PurePosixPath

from relaykit.model import ProfileFile

_WALK = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MAKE = os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC
_LINKED = frozenset({errno.ELOOP, errno.ENOTDIR})


def write_files(workspace: Path, files: Sequence[ProfileFile]) -> list[str]:
    """Write what is absent; return a line about each file that could not be written.

    A file appears whole or not at all, and one that is there, a link included, is left alone.
    """
    troubles = []
    for file in files:
        try:
            _write(workspace, file)
        except OSError as error:
            why = "a link or a file is on its way" if error.errno in _LINKED else error.strerror
            troubles.append(f"files.{file.path}: not written: {why}")
    return troubles


def _write(workspace: Path, file: ProfileFile) -> None:
    *folders, name = PurePosixPath(file.path).parts
    with _inside(workspace, folders) as directory:
        if _is_there(name, directory):
            return
        # Without a name until it is whole, it is never seen half-written, takes no other's place and leaves no litter.
        made = os.open(".", _MAKE, 0o777 if file.executable else 0o666, dir_fd=directory)
        with open(made, "wb") as opened:  # noqa: PTH123 - a descriptor is opened, no path
            opened.write(file.content)
            opened.flush()
            with suppress(FileExistsError):
                os.link(f"/proc/self/fd/{made}", name, dst_dir_fd=directory, follow_symlinks=True)


@contextmanager
def _inside(workspace: Path, folders: Sequence[str]) -> Iterator[int]:
    """Open a folder below the workspace, making what is missing; nothing on the way may be a link."""
    place = os.open(workspace, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for folder in folders:
        with closing(_Descriptor(place)):
            with suppress(FileExistsError):
                os.mkdir(folder, dir_fd=place)
            place = os.open(folder, _WALK, dir_fd=place)
    with closing(_Descriptor(place)):
        yield place


class _Descriptor:
    """A descriptor that is closed once."""

    def __init__(self, number: int) -> None:
        self._number = number

    def close(self) -> None:
        os.close(self._number)


def _is_there(name: str, directory: int) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
