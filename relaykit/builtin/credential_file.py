"""Credentials in a file, sealed with a key of this machine. Synchronous: the store calls it in threads."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from relaykit.builtin import sealed_table
from relaykit.builtin.credential_records import checked_name, missing, packed, unpacked
from relaykit.builtin.machine_keys import MachineKeys, seal, unseal
from relaykit.builtin.private_files import check_directory, locked, read_private, replace_private
from relaykit.builtin.sealed_table import Entry, Table, bound
from relaykit.errors import CredentialError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from relaykit.model import Credential

FILE = "credentials.json"
_AGAIN = 3


class CredentialFile:
    """A directory with the sealed credentials and the key. Reading takes no lock: a file is replaced as a whole."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / FILE
        self._keys = MachineKeys(directory)

    def names(self) -> list[str]:
        """Return the names of all credentials, sorted."""
        return sorted(self._table().entries)

    def get(self, name: str) -> Credential:
        """Return a credential; CredentialError."""
        name = checked_name(name)
        if (found := self.read({name}).get(name)) is None:
            raise missing(name, str(self._path))
        return found

    def read(self, names: set[str] | None = None) -> dict[str, Credential]:
        """Return the credentials of these names that there are, or all. CredentialError."""
        for left in reversed(range(_AGAIN)):
            table = self._table()
            wanted = {name: entry for name, entry in table.entries.items() if names is None or name in names}
            if not wanted:
                return {}
            try:
                return self._opened(wanted, self._keys.cipher(table.key))
            except CredentialError:
                # The machine key may have been rotated since the table was read, and the old one is gone.
                if left == 0 or self._table().key == table.key:
                    raise
        raise AssertionError

    def change(self, name: str, change: Callable[[Credential | None], Credential | None]) -> Credential | None:
        """Replace a credential by what ``change`` makes of it; return that."""
        name = checked_name(name)
        with self._alone():
            current, table = self.read({name}).get(name), self._table()
            wanted = change(current)
            if wanted is None:
                if name in table.entries:
                    self._write(table.without(name))
            elif wanted != current:
                self._write(self._with(table, name, wanted))
        return wanted

    def rotate(self) -> int:
        """Seal everything with a new key; what is in the file is good with the old key or with the new, never both."""
        with self._alone():
            table, credentials = self._table(), self.read()
            cipher = self._keys.make(table.key + 1)
            # The boxes are bound to new versions, so that no box of the old key's time is ever taken again.
            rotated = Table(table.key + 1, {}, table.versions)
            for name, credential in credentials.items():
                rotated = self._with(rotated, name, credential, cipher)
            self._write(rotated)
            self._keys.keep_only(rotated.key)
        return len(credentials)

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """Be the only one that rotates this credential."""
        with locked(self._directory / f"rotating-{checked_name(name)}.lock", seconds=0) as held:
            yield held

    def _table(self) -> Table:
        check_directory(self._directory)
        return sealed_table.read(self._path, read_private(self._path))

    def _with(self, table: Table, name: str, credential: Credential, cipher: AESGCM | None = None) -> Table:
        if table.key == 0:
            table = Table(1, table.entries, table.versions)
            cipher = self._keys.make(1)
        version = table.versions.get(name, 0) + 1
        box = seal(cipher or self._keys.cipher(table.key), packed(name, credential), bound(name, version))
        return table.with_entry(name, Entry(version, box))

    def _opened(self, entries: dict[str, Entry], cipher: AESGCM) -> dict[str, Credential]:
        found = {}
        for name, entry in entries.items():
            data = unseal(cipher, entry.box, entry.bound(name))
            if data is None:
                raise CredentialError(
                    f"credential {name!r}: its entry in {self._path} was changed, or sealed with another machine key; "
                    "put both back from one backup, or set it anew"
                )
            found[name] = unpacked(name, data)
        return found

    def _write(self, table: Table) -> None:
        replace_private(self._path, sealed_table.written(table))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        check_directory(self._directory)
        with locked(self._directory / "lock") as held:
            if not held:
                raise CredentialError(f"{self._directory}: another process has been writing here for 10 s; try again")
            yield
