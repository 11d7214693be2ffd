"""Directories that only their owner may look into, and the home that is one."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from relaykit.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path


def private_directory(path: Path) -> Path:
    """Make a directory, and what lacks above it, 0700; ``Path.mkdir`` gives its mode to the last one only."""
    if not path.is_dir():
        private_directory(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


def private_home(path: Path) -> Path:
    """Make the home where there is none, and refuse one that others rule: what lies there is what agents are told.

    Raises:
        StoreError: It cannot be made, belongs to someone else, or others may write to it.
    """
    try:
        private_directory(path)
    except OSError as error:
        raise StoreError(
            f"{path}: this directory cannot be made ({error.strerror}); choose another home: --home or RELAYKIT_HOME"
        ) from error
    refuse_shared(path)
    return path


def refuse_shared(home: Path) -> None:
    """Raise StoreError where the home belongs to someone else, or others may write to it."""
    about = home.stat()
    if about.st_uid != os.geteuid():
        raise StoreError(
            f"{home}: this home belongs to user {about.st_uid}; act as that user, or use a home of your own: --home DIR"
        )
    mode = stat.S_IMODE(about.st_mode)
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StoreError(f"{home}: others may write to this home (mode {mode:03o}); chmod 700 {home}")
