"""What is left of sessions that nobody asks for any more: only the latest is kept."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

KEPT = 100
"""How many sessions are remembered."""


def changed_at(path: Path) -> float | None:
    """Return when a file was changed last; None where it has vanished, for others remove files, too."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


def latest(found: Iterable[Path]) -> list[tuple[float, Path]]:
    """Return what is still there, with when it was changed, the latest first."""
    return sorted(((at, path) for path in found if (at := changed_at(path)) is not None), reverse=True)


def keep_latest(found: Iterable[Path], kept: int = KEPT) -> None:
    """Remove all files and directories but those that were changed last."""
    for _, path in latest(found)[kept:]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
