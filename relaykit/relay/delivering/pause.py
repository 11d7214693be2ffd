"""When an agent rests after a fault of its own, and for how long."""

from __future__ import annotations

from collections.abc import Iterable

from relaykit.model import Fault, Whose
from relaykit.plugin import Clock

_FIRST_SECONDS = 5.0
_LONGEST_SECONDS = 300.0


class Pause:
    """The rest of one agent. Outlives its sessions, so that a restart does not make it impatient."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = 0.0
        self._delay = _FIRST_SECONDS
        self._last_refusal = ""
        self._spared: set[tuple[int, str]] = set()
        """Deliveries that were refused and are to be tried once more after a rest, with the code."""
        self.fault: Fault | None = None
        self.next_try = 0.0
        """Wall-clock seconds of the next try, for display: one and the same for a whole rest."""

    @property
    def remaining(self) -> float:
        """Seconds until the next try; 0 where the agent may work."""
        return max(0.0, self._until - self._clock.boot())

    def begin(self, fault: Fault) -> float:
        """Rest, as long as the provider said or longer each time; return the seconds."""
        seconds = fault.retry_after if fault.retry_after is not None else self._delay
        self._delay = min(self._delay * 2, _LONGEST_SECONDS)
        self._until = self._clock.boot() + seconds
        self.next_try = self._clock.now() + seconds
        self.fault = fault
        return seconds

    def spares(self, fault: Fault, deliveries: Iterable[int]) -> set[int]:
        """Return which deliveries the agent is to rest for: another message was refused with one code just before.

        Each is spared once. Refused with that code after the rest again, it is not the agent's fault.
        """
        if fault.whose is not Whose.MESSAGE:
            return set()
        refused = {(delivery, fault.code) for delivery in deliveries}
        spared = refused - self._spared if self._last_refusal == fault.code else set()
        self._last_refusal = fault.code
        self._spared |= spared
        return {delivery for delivery, _ in spared}

    def end(self) -> None:
        """Something went well: forget it all."""
        self._until, self._delay, self._last_refusal, self.fault = 0.0, _FIRST_SECONDS, "", None
        self._spared.clear()

    def cut_short(self) -> None:
        """Try again now; what went wrong is remembered."""
        self._until = 0.0
