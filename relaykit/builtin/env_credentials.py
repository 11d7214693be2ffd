"""The credential store ``env``: secrets that the environment holds already."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from relaykit.builtin.credential_records import checked_name
from relaykit.errors import CredentialError
from relaykit.model import CREDENTIAL_PREFIX, CredentialInfo, Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from relaykit.plugin import Context, CredentialStore

PREFIX = CREDENTIAL_PREFIX


class EnvCredentials:
    """Secrets in environment variables: ``dock-main`` is ``RELAYKIT_CREDENTIAL_DOCK_MAIN``."""

    def __init__(self, prefix: str = PREFIX, environ: Mapping[str, str] = os.environ) -> None:
        self._prefix = prefix
        self._environ = environ

    async def get(self, name: str) -> Secret:
        """Return the secret; CredentialError names the variable that is not set or empty."""
        variable = self.variable(checked_name(name))
        if value := self._environ.get(variable):
            return Secret(value)
        fault = "is empty" if variable in self._environ else "is not set"
        raise CredentialError(f"credential {name!r}: the environment variable {variable} {fault}; export it")

    async def names(self) -> Sequence[str]:
        """Return the names of all secrets, in lower case: the environment does not keep their spelling."""
        start = len(self._prefix)
        found = (key[start:] for key, value in self._environ.items() if key.startswith(self._prefix) and value)
        return sorted(name.lower().replace("_", "-") for name in found if name)

    async def credentials(self) -> Sequence[CredentialInfo]:
        """Return the names; the environment knows nothing more."""
        return [CredentialInfo(name=name) for name in await self.names()]

    def variable(self, name: str) -> str:
        """Return the environment variable that holds the secret of that name."""
        return self._prefix + name.upper().replace("-", "_").replace(".", "_")


@asynccontextmanager
async def open_env_credentials(options: Mapping[str, Any], _context: Context) -> AsyncIterator[CredentialStore]:
    """Open the store; it keeps nothing, so a variable is read anew each time."""
    yield EnvCredentials(options.get("prefix", PREFIX))
