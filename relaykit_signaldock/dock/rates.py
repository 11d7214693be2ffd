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


class Left(NamedTuple):
    """What someone has left."""

    allowed: bool
    remaining: int
    wait: float
    """Seconds after which there is more."""


class Rates:
    """A sliding window for each agent; 0 a minute is no limit."""

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


class Pace:
    """The limit as one request of an agent meets it: the guard takes from it before it reads a body."""

    def __init__(self, rates: Rates, agent: str) -> None:
        self._rates = rates
        self._agent = agent
        self.left: Left | None = None
        """What there was left once this request was counted; None where there is no limit."""

    def take(self) -> float:
        """Let this request through and return 0, or return the seconds after which there is more."""
        if not self._rates.per_minute:
            return 0.0
        self.left = self._rates.take(self._agent)
        return 0.0 if self.left.allowed else self.left.wait


class Limited:
    """An application whose callers have a rate limit, of which every answer tells."""

    def __init__(self, app: App, rates: Rates, wall: Callable[[], float]) -> None:
        self._app = app
        self._rates = rates
        self._wall = wall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or answer that there were too many."""
        caller = scope.get(CALLER)
        left: Left | None = caller.requests.left if caller else None
        if left is None:
            await self._app(scope, receive, send)
            return
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
