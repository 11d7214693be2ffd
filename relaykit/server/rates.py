"""How often someone may come."""

from __future__ import annotations

import time
from collections.abc import Callable


class Bucket:
    """Lets so many through at once, and then so many a second."""

    def __init__(self, per_second: float, burst: float, now: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._now = now
        self._left = burst
        self._at = now()

    def take(self, count: int = 1) -> float:
        """Let so many through together and return 0, or none, and return the seconds after which to try again."""
        now = self._now()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < count:
            return (count - self._left) / self._per_second
        self._left -= count
        return 0.0
