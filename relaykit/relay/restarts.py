"""How often an agent's session may end by itself before the supervisor gives it up."""

from __future__ import annotations

from collections import deque

from relaykit.model import Fault, Status, StatusKind
from relaykit.plugin import Clock

WINDOW_SECONDS = 120.0
RAPID_SECONDS = 30.0
"""A session that lived shorter ended rapidly."""
MOST_EXITS = 3
"""In the window; one more that was rapid, and the agent is given up."""


class Restarts:
    """Counts the exits of one agent."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._exits: deque[float] = deque()

    def exited(self, lived: float) -> float | None:
        """Count an exit; return the seconds to wait before the next start, or None to give up.

        Args:
            lived: Seconds that the session was up.
        """
        now = self._clock.boot()
        self._exits.append(now)
        while self._exits[0] < now - WINDOW_SECONDS:
            self._exits.popleft()
        if lived < RAPID_SECONDS and len(self._exits) > MOST_EXITS:
            return None
        return min(10.0, 0.5 * len(self._exits))

    def forget(self) -> None:
        """Someone restarts it on purpose."""
        self._exits.clear()


def resting(reason: str, trouble: Fault | None, now: float, seconds: float | None) -> Status:
    """Return the status of an agent that waits, with the next try; None is for an order."""
    return Status(
        kind=StatusKind.ERROR,
        reason=reason,
        detail=trouble.message if trouble else "",
        since=now,
        next_try=None if seconds is None else now + seconds,
    )
