"""The rate limit: so many requests of an agent within a minute, and headers that say how many are left."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from relaykit.plugin import CALLER
from relaykit_signaldock.dock.envelope import WireError

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from relaykit.plugin import App, Receive, Scope, Send

_WINDOW = 60.0


class Unhurried:
    """A pace that lets everyone through: the dock has a limit of its own, which its answers tell of."""

    def take(self) -> float:
        """Let one through."""
        return 0.0


class Left(NamedTuple):
    """What someone has left."""

    allowed: bool
    remaining: int
    wait: float
    """Seconds after which there is more."""


class Rates:
    """A sliding window for each agent."""

    def __init__(self, per_minute: int, now: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self._now = now
        self._past: defaultdict[str, deque[float]] = defaultdict(deque)

    def take(self, agent: str) -> Left:
        """Count a request, if it is allowed."""
        now, past = self._now(), self._past[agent]
        while past and past[0] <= now - _WINDOW:
            past.popleft()
        allowed = len(past) < self.per_minute
        if allowed:
            past.append(now)
        return Left(allowed, self.per_minute - len(past), past[0] + _WINDOW - now)


class Limited:
    """An application whose callers have a rate limit; 0 is none."""

    def __init__(self, app: App, rates: Rates, wall: Callable[[], float]) -> None:
        self._app = app
        self._rates = rates
        self._wall = wall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or answer that there were too many."""
        caller = scope.get(CALLER)
        if not self._rates.per_minute or caller is None:
            await self._app(scope, receive, send)
            return
        left = self._rates.take(caller.name)
        headers = self._headers(left)

        async def with_headers(event: MutableMapping[str, Any]) -> None:
            if event["type"] == "http.response.start":
                event["headers"] = [*event["headers"], *headers]
            await send(event)

        if left.allowed:
            await self._app(scope, receive, with_headers)
        else:
            error = WireError("E_RATE_LIMIT", "too many requests within a minute", retry_ms=int(left.wait * 1000) + 1)
            await error.answer()(scope, receive, with_headers)

    def _headers(self, left: Left) -> list[tuple[bytes, bytes]]:
        said = {
            "x-ratelimit-limit": self._rates.per_minute,
            "x-ratelimit-remaining": left.remaining,
            "x-ratelimit-reset": int(self._wall() + left.wait) + 1,
        }
        return [(name.encode(), str(value).encode()) for name, value in said.items()]
