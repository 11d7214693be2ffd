"""What a relay needs of its HTTP edge. The edge itself stands above: ``server``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from relaykit.relay.children.orphans import detached
from relaykit.relay.ownership import LASTING_FILE, children_directory

if TYPE_CHECKING:
    from pathlib import Path

    from relaykit.plugin import Endpoint, Provider
    from relaykit.relay.doorway import Doorway, Hearing
    from relaykit.relay.services import Services


class Edge(Protocol):
    """The HTTP edge: listens for the processes of sessions, and for the person."""

    def open(self, services: Services) -> AbstractAsyncContextManager[Doorway]:
        """Open it for a relay; leaving ends every connection, within seconds.

        Raises:
            ConfigError: The address cannot be listened on.
        """
        ...


@asynccontextmanager
async def admitted(
    services: Services, agent: str, provider: Provider, hearing: Hearing
) -> AsyncIterator[Endpoint | None]:
    """Yield where the session of an agent finds the relay's tools; None where it could not use them."""
    if services.doorway is None or not provider.capabilities.tools:
        yield None
        return
    can = provider.capabilities
    lasting = _lasting(services, agent) if can.detached else None
    async with services.doorway.admit(agent, hearing, lasting, piped=can.piped_tools) as endpoint:
        yield endpoint


def _lasting(services: Services, agent: str) -> Path:
    """Return the file of an agent's lasting token; the token goes with the process that it was made for."""
    directory = children_directory(services.config.home, agent)
    path = directory / LASTING_FILE
    if not any(one.alive for one in detached(directory, services.clock.boot_id())):
        path.unlink(missing_ok=True)
    return path


@asynccontextmanager
async def doorway(edge: Edge | None, services: Services) -> AsyncIterator[Doorway | None]:
    """Open the edge, if there is one."""
    if edge is None:
        yield None
        return
    async with edge.open(services) as opened:
        yield opened
