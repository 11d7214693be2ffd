"""The HTTP edge: a relay that also listens, for the tools and the hooks of its agents.

async with relaykit.server.open(config) as relay:
    ...

Nothing of a web server is imported before something listens.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from msgspec.structs import replace

from relaykit import relay
from relaykit.server.edge import HttpEdge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from relaykit.config import Config
    from relaykit.registry import Registry
    from relaykit.relay import Components, Relay

__all__ = ["HttpEdge", "open"]


@asynccontextmanager
async def open(  # noqa: A001 - as in relaykit.server.open
    config: Config,
    *,
    components: Components | None = None,
    registry: Registry | None = None,
    report: Callable[[str], None] | None = None,
) -> AsyncIterator[Relay]:
    """Run a relay that listens where ``relay.listen`` says; what else it does is ``relaykit.relay.open``'s.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    given = components or relay.Components()
    if config.listen != "off":
        given = replace(given, edge=given.edge or HttpEdge(config.listen))
    async with relay.open(config, components=given, registry=registry, report=report) as running:
        yield running
