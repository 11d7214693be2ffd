"""What every connection of the web server has: nobody keeps one by sending nothing, or headers without end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

    _Protocol = asyncio.Protocol
else:
    _Protocol = object

HEADER_SECONDS = 20.0
"""Within which a request's headers have to be there, from the first byte, or from the connection's beginning."""
HEADER_BYTES = 32 * 2**10


class Patient(_Protocol):
    """Hangs up on a client that connects and does not say what it wants."""

    header_seconds = HEADER_SECONDS
    cycle: RequestResponseCycle | None
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait_or_not()

    def data_received(self, data: bytes) -> None:
        """Take bytes in; wait on, but not longer, while they are no whole headers."""
        super().data_received(data)
        self._wait_or_not()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        super().connection_lost(exc)
        self._stop_waiting()

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
