"""Directories that only their owner may look into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path


def private_directory(path: Path) -> Path:
    """Make a directory, and what lacks above it, 0700; ``Path.mkdir`` gives its mode to the last one only.

    Raises:
        StoreError: It cannot be made.
    """
    try:
        if not path.is_dir():
            private_directory(path.parent)
            path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{path}: this directory cannot be made ({error.strerror}); choose another home: --home or RELAYKIT_HOME"
        ) from error
    return path
