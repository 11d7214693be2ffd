"""Directories that only their owner may look into."""

from __future__ import annotations

from pathlib import Path


def private_directory(path: Path) -> Path:
    """Make a directory, and what lacks above it, 0700; ``Path.mkdir`` gives its mode to the last one only."""
    if not path.is_dir():
        private_directory(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
    return path
