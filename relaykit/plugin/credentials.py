"""Credential stores: they keep secrets under names, so that configurations need not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from relaykit.model import Secret


class CredentialStore(Protocol):
    """Keeps secrets under names."""

    async def get(self, name: str) -> Secret:
        """Return the secret of that name.

        Raises:
            CredentialError: There is none; the message says where it was looked for, and never a value.
        """
        ...

    async def names(self) -> Sequence[str]:
        """Return the names of all secrets, sorted."""
        ...
