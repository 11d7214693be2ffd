"""What every connection of the web server has: nobody keeps one by sending nothing, or headers without end.

Nor does anybody keep others out by opening many: where there is no room for another one, the oldest of those that
nobody showed a good token on makes it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from relaykit.plugin import CALLER

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

    from relaykit.plugin import Scope

    _Protocol = asyncio.Protocol
else:
    _Protocol = object

HEADER_SECONDS = 20.0
"""Within which a request's headers have to be there, from the first byte, or from the connection's beginning."""
HEADER_BYTES = 32 * 2**10


class Patient(_Protocol):
    """Hangs up on a client that connects and does not say what it wants, or not who it is while others want in."""

    header_seconds = HEADER_SECONDS
    connections: set[Any]
    """All that are open: the server's own set."""
    cycle: RequestResponseCycle | None
    limit_concurrency: int
    """Of connections; with so many open the server itself would refuse whatever is asked on any of them."""
    loop: asyncio.AbstractEventLoop
    scope: Scope | None
    transport: asyncio.Transport

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._patience: asyncio.TimerHandle | None = None
        self._is_known = False
        self.opened = 0.0
        """By the loop's clock."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, where there is room."""
        super().connection_made(transport)
        self.opened = self.loop.time()
        if len(self.connections) >= self.limit_concurrency:
            self._make_room()
        self._wait_or_not()

    def data_received(self, data: bytes) -> None:
        """Take bytes in; wait on, but not longer, while they are no whole headers."""
        self._is_known = not self.is_stranger  # the next request has a scope of its own
        super().data_received(data)
        self._wait_or_not()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        super().connection_lost(exc)
        self._stop_waiting()

    @property
    def is_stranger(self) -> bool:
        """Whether nothing that came so far had a good token."""
        return not (self._is_known or (self.scope and self.scope.get(CALLER)))

    def _make_room(self) -> None:
        strangers = [one for one in self.connections if one.is_stranger]
        first = min(strangers, key=lambda one: one.opened)  # this one at least is a stranger
        self.connections.discard(first)  # it counts no more, however long its end takes
        first.transport.abort()

    def _wait_or_not(self) -> None:
        cycle = self.cycle  # there is none before the first request
        if cycle is not None and not cycle.response_complete:
            self._stop_waiting()
        elif self._patience is None:
            self._patience = self.loop.call_later(self.header_seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
