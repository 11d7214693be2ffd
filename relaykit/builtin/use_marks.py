"""When a credential was last used: the time of an empty file, which costs no rewriting of anything."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class UseMarks:
    """One empty file for each name. A mark that a crash takes away is no loss worth a sync."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def mark(self, name: str, now: float) -> None:
        """Note a use."""
        with suppress(OSError):  # a full disk is no reason not to sign in
            self._directory.mkdir(mode=0o700, exist_ok=True)
            path = self._directory / name
            path.touch(mode=0o600)
            os.utime(path, (now, now))

    def at(self, name: str) -> float | None:
        """Return when it was last used, if it ever was."""
        try:
            return (self._directory / name).stat().st_mtime
        except OSError:
            return None

    def remove(self, name: str) -> None:
        """Forget it."""
        (self._directory / name).unlink(missing_ok=True)
