"""A credential store in memory, with every ability: what a test made up, and what a plugin changed in it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio.lowlevel

from relaykit.errors import CredentialError
from relaykit.model import Credential, CredentialInfo, Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence


class MemoryCredentials:
    """Credentials that a test made up: plain secrets, or whole records.

    Attributes:
        kept: What is in it now.
        uses: The names that were marked as used, in order.
        changes: Every state that a credential was given, in order.
    """

    def __init__(self, secrets: Mapping[str, str | Credential]) -> None:
        self.kept = {
            name: Credential(secret=Secret(value)) if isinstance(value, str) else value
            for name, value in secrets.items()
        }
        self.uses: list[str] = []
        self.changes: list[Credential | None] = []
        self._rotating: set[str] = set()

    @property
    def store(self) -> MemoryCredentials:
        """Itself: what a context lends."""
        return self

    async def get(self, name: str) -> Secret:
        """Return the secret of that name."""
        return (await self.record(name)).secret

    async def names(self) -> Sequence[str]:
        """Return the names, sorted."""
        return sorted(self.kept)

    async def record(self, name: str) -> Credential:
        """Return the whole credential."""
        await anyio.lowlevel.checkpoint()
        if name not in self.kept:
            raise CredentialError(f"the test has no credential {name!r}")
        return self.kept[name]

    async def credentials(self) -> Sequence[CredentialInfo]:
        """Return what may be shown of each."""
        return [
            CredentialInfo(
                name=name,
                kind=one.kind,
                fields=one.fields,
                since=one.since,
                used_at=float(self.uses.index(name)) if name in self.uses else None,
                rotating=one.rotation is not None,
            )
            for name, one in sorted(self.kept.items())
        ]

    async def mark_used(self, name: str) -> None:
        """Note a use."""
        self.uses.append(name)

    async def change(self, name: str, change: Callable[[Credential | None], Credential | None]) -> Credential | None:
        """Replace a credential."""
        await anyio.lowlevel.checkpoint()
        changed = change(self.kept.get(name))
        self.changes.append(changed)
        if changed is None:
            self.kept.pop(name, None)
        else:
            self.kept[name] = changed
        return changed

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[bool]:
        """Be the only one that rotates this credential."""
        held = name not in self._rotating
        self._rotating.add(name)
        try:
            yield held
        finally:
            if held:
                self._rotating.discard(name)
