"""What an edge serves, put together: the application of a relay, its guard, its web server."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from relaykit.plugin import Site
from relaykit.server.guard import Guard
from relaykit.server.listening import serving
from relaykit.server.origins import Hosts
from relaykit.server.routes import application

if TYPE_CHECKING:
    import socket

    import anyio

    from relaykit.relay.services import Services
    from relaykit.server.origins import Address
    from relaykit.server.passes import Passes


def serve(
    services: Services, passes: Passes, closing: anyio.Event, bound: socket.socket, address: Address
) -> AbstractAsyncContextManager[None]:
    """Serve a relay's edge on a bound socket, for those who have a pass."""
    site = Site(app=application(services, closing), authenticate=passes.caller)
    return serving(Guard(site, Hosts(address)), bound)
