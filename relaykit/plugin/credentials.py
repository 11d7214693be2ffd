"""Credential stores: they keep secrets under names, so that configurations need not.

Every store gives secrets out and names them. What else one can do is in the small protocols below; ask with
``isinstance``, and say clearly what cannot be done where a store cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from relaykit.model import Credential, CredentialInfo, Secret


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


@runtime_checkable
class ListsCredentials(Protocol):
    """A store that tells what it keeps, and never a value."""

    async def credentials(self) -> Sequence[CredentialInfo]:
        """Return what may be shown of each credential, sorted by name."""
        ...


@runtime_checkable
class KeepsRecords(Protocol):
    """A store that keeps more of a credential than its secret, and knows when it was used."""

    async def record(self, name: str) -> Credential:
        """Return the whole credential of that name; CredentialError where there is none.

        Its fields are as they were stored: whoever knows the schema of that kind checks them.
        """
        ...

    async def mark_used(self, name: str) -> None:
        """Note that something signs in with it now; cheap, and never a reason to fail."""


@runtime_checkable
class ChangesCredentials(Protocol):
    """A store that can be written to."""

    async def change(self, name: str, change: Callable[[Credential | None], Credential | None]) -> Credential | None:
        """Replace a credential by what ``change`` makes of it; return that.

        One change at a time, over all processes; when this has returned it survives the loss of power, and when the
        process dies before, either the old one is there or the new one.

        Args:
            name: A name that NAME matches; CredentialError otherwise.
            change: Gets what is there now, or None; returns what is to be there, or None for nothing. Called in a
                thread, under the store's lock: quick, and without a second call of the store.
        """
        ...

    def alone(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Be the only one of all processes that rotates this credential; False where another one does so now.

        Whoever dies holding it lets it go.
        """
        ...


@runtime_checkable
class RotatesMachineKey(Protocol):
    """A store that encrypts what it keeps with a key of this machine."""

    async def rotate_machine_key(self) -> int:
        """Encrypt everything anew with a new key, and forget the old one; return how many credentials there are."""
        ...
