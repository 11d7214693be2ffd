"""The credential store ``keyring``: in the keyring of the desktop, through the library of that name."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from relaykit.builtin.credential_records import checked_name, info, missing, packed, unpacked
from relaykit.builtin.keyring_index import KeyringIndex
from relaykit.builtin.use_marks import UseMarks
from relaykit.errors import CredentialError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from keyring.backend import KeyringBackend

    from relaykit.model import Credential, CredentialInfo, Secret
    from relaykit.plugin import Clock, Context

SERVICE = "relaykit"
_in_thread = anyio.to_thread.run_sync


class _Ring:
    """The entries of one service in a keyring. Synchronous, and slow where the keyring is locked."""

    def __init__(self, ring: KeyringBackend, service: str, index: KeyringIndex) -> None:
        self._ring = ring
        self._service = service
        self.index = index

    def find(self, name: str) -> Credential | None:
        packed_ = self._asked(lambda: self._ring.get_password(self._service, name), name)
        return None if packed_ is None else unpacked(name, packed_.encode())

    def get(self, name: str) -> Credential:
        found = self.find(checked_name(name))
        if found is None:
            raise missing(name, f"the keyring, under the service {self._service!r}")
        return found

    def all(self) -> dict[str, Credential]:
        found = {name: self.find(name) for name in self.index.names()}
        return {name: credential for name, credential in found.items() if credential is not None}

    def change(self, name: str, change: Callable[[Credential | None], Credential | None]) -> Credential | None:
        """The name is written down before the secret, and crossed out after it, so that none is ever forgotten."""
        name = checked_name(name)
        with self.index.alone():
            current, names = self.find(name), set(self.index.names())
            wanted = change(current)
            if wanted is not None and wanted != current:
                data = packed(name, wanted).decode()
                if name not in names:
                    self.index.write(names | {name})
                self._asked(lambda: self._ring.set_password(self._service, name, data), name)
            elif wanted is None and current is not None:
                self._asked(lambda: self._ring.delete_password(self._service, name), name)
            if wanted is None and name in names:
                self.index.write(names - {name})
        return wanted

    def _asked(self, ask: Callable[[], str | None], name: str) -> str | None:
        from keyring.errors import KeyringError  # noqa: PLC0415 - an extra

        try:
            return ask()
        except KeyringError as error:
            what = type(error).__name__  # its text may show what it was given
            raise CredentialError(
                f"credential {name!r}: the keyring refuses ({what}); unlock it, or use the store 'file'"
            ) from None


class KeyringCredentials:
    """Credentials in a keyring, each an entry of its own."""

    def __init__(self, ring: _Ring, marks: UseMarks, clock: Clock) -> None:
        self._ring = ring
        self._marks = marks
        self._clock = clock

    async def get(self, name: str) -> Secret:
        """Return the secret of that name; CredentialError."""
        return (await self.record(name)).secret

    async def names(self) -> Sequence[str]:
        """Return the names of all credentials, sorted."""
        return sorted(await _in_thread(self._ring.all))

    async def record(self, name: str) -> Credential:
        """Return the whole credential; CredentialError."""
        return await _in_thread(self._ring.get, name)

    async def credentials(self) -> Sequence[CredentialInfo]:
        """Return what may be shown of each, sorted by name."""
        found = await _in_thread(self._ring.all)
        return [info(name, found[name], self._marks.at(name)) for name in sorted(found)]

    async def mark_used(self, name: str) -> None:
        """Note that something signs in with it now."""
        await _in_thread(self._marks.mark, checked_name(name), self._clock.now())

    async def change(self, name: str, change: Callable[[Credential | None], Credential | None]) -> Credential | None:
        """Replace a credential by what ``change`` makes of it."""
        changed = await _in_thread(self._ring.change, name, change)
        if changed is None:
            await _in_thread(self._marks.remove, name)
        return changed

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[bool]:
        """Be the only one of all processes that rotates this credential."""
        with self._ring.index.rotating(checked_name(name)) as held:
            yield held


@asynccontextmanager
async def open_keyring_credentials(options: Mapping[str, Any], context: Context) -> AsyncIterator[KeyringCredentials]:
    """Open the keyring that the library finds.

    Raises:
        CredentialError: The library is not installed, or finds no keyring on this machine.
    """
    try:
        import keyring  # noqa: PLC0415 - an extra
        from keyring.backends.fail import Keyring as NoKeyring  # noqa: PLC0415 - as above
    except ImportError as error:
        raise CredentialError(
            "the credential store 'keyring' needs the library keyring; "
            'install it with: pip install "relaykit[keyring]"'
        ) from error
    found = await _in_thread(keyring.get_keyring)
    if isinstance(found, NoKeyring):
        raise CredentialError(f"{context.name}: no keyring answers on this machine; use the store 'file'")
    ring = _Ring(found, options.get("service", SERVICE), KeyringIndex(context.home))
    yield KeyringCredentials(ring, UseMarks(context.home / "used"), context.clock)
