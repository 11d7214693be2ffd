"""What ``relaykit doctor`` looks at: whether the credential store can be read, and by whom else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from relaykit.cli.credential_store import open_store
from relaykit.cli.finding import Finding, Level
from relaykit.errors import RelaykitError
from relaykit.plugin import ListsCredentials

if TYPE_CHECKING:
    from relaykit.config import Config
    from relaykit.registry import Registry


def credential_store(config: Config, registry: Registry) -> Finding:
    """Open the store as a relay would, and look at every credential; nothing of a value is shown."""
    use = config.credentials.use
    try:
        if not (config.home / "credentials").exists():  # opening it would make the directory; a doctor changes nothing
            return Finding("credentials", Level.OK, f"{use}: nothing is kept here yet")
        count = anyio.run(_count, config, registry)
    except RelaykitError as error:
        return Finding("credentials", Level.FAIL, str(error))
    except OSError as error:
        return Finding("credentials", Level.FAIL, f"{error.filename}: {error.strerror}")
    return Finding("credentials", Level.OK, f"{use}: {count} can be read")


async def _count(config: Config, registry: Registry) -> int:
    async with open_store(config, registry) as store:
        return len(await (store.credentials() if isinstance(store, ListsCredentials) else store.names()))
