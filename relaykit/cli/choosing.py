"""Which of the open permission requests the keys of the live view decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MOMENT = 1.0
"""Seconds for which a request that nobody chose is shown before a key decides it: one may have been on its way."""


class Choosing:
    """The chosen request, by its id. Where it goes, no other takes its place: that is for a person to choose.

    Only one that comes while none is open is chosen by itself, and keys decide it after a moment.
    """

    def __init__(self) -> None:
        self.chosen: str | None = None
        self.first = 0
        """The line from which on it is shown."""
        self.seen = False
        """Whether its end was shown."""
        self._open: Sequence[str] = ()
        self._place = 0
        self._ready_at = 0.0

    def look(self, requests: Sequence[str], now: float) -> None:
        """Take in which are open now."""
        if self.chosen not in requests:
            self.choose(None)
        if requests and not self._open:
            self.choose(requests[0])
            self._ready_at = now + MOMENT
        self._open = requests
        if self.chosen is not None:
            self._place = requests.index(self.chosen)

    def ready(self, now: float) -> bool:
        """Whether a key decides the chosen one already."""
        return now >= self._ready_at

    def move(self, step: int) -> None:
        """Choose the next one or the one before, from where the last chosen one was."""
        if not self._open:
            return
        if self.chosen is not None:
            self._place += step
        self._place = max(0, min(self._place, len(self._open) - 1))
        self.choose(self._open[self._place])

    def choose(self, request: str | None) -> None:
        """Choose that one, or none; it is shown from its beginning."""
        if request != self.chosen:
            self._ready_at = 0.0
            self.chosen = request
            self.restart()

    def leave(self, request: str) -> None:
        """Take in that this one is decided."""
        if request == self.chosen:
            self.choose(None)

    def restart(self) -> None:
        """Show it from its beginning: it was chosen just now, or its lines are others."""
        self.first, self.seen = 0, False
