"""Threads of which codex has told nothing yet.

Codex writes a thread down with its first turn. Killed at the beginning of that, it leaves nothing behind, and
afterwards does not know the thread: just as it does not know one that was archived, or is in another CODEX_HOME.
What was begun and never seen to take a message is therefore written down here: of such a thread alone, not to be
known means that nothing happened.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"[0-9A-Za-z-]{1,64}")


class UnseenThreads:
    """The threads that were begun and took no message yet, as empty files of a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def begin(self, thread: str) -> None:
        """Note a new thread, before it is given anything."""
        if _NAME.fullmatch(thread):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._directory / thread).touch(mode=0o600)

    def seen(self, thread: str) -> None:
        """Note that codex told of a message in the thread."""
        if _NAME.fullmatch(thread):
            (self._directory / thread).unlink(missing_ok=True)

    def __contains__(self, thread: str) -> bool:
        return _NAME.fullmatch(thread) is not None and (self._directory / thread).exists()
