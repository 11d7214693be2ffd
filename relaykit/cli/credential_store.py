"""The configured credential store, for a command."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from relaykit.config import check, plugins, read
from relaykit.errors import CredentialError
from relaykit.relay.assemble import Assembly
from relaykit.relay.components import Components

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from relaykit.config import Config
    from relaykit.plugin import CredentialStore
    from relaykit.registry import Registry


@asynccontextmanager
async def opened() -> AsyncIterator[CredentialStore]:
    """Open the store that the configuration names."""
    source = read()
    registry = plugins(source)
    async with open_store(check(source, registry), registry) as store:
        yield store


def cannot(what: str) -> CredentialError:
    """Return the error of a store that lacks an ability."""
    return CredentialError(
        f"the configured credential store cannot {what}; choose one that can in the configuration: "
        '[credentials] use = "file"'
    )


@asynccontextmanager
async def open_store(config: Config, registry: Registry) -> AsyncIterator[CredentialStore]:
    """Open the store that a configuration names."""
    async with Assembly(config, registry, Components()).open_credentials() as store:
        yield store
