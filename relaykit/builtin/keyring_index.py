"""What a keyring cannot tell: which names it holds for us, and since when. No secret is in here."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from relaykit.builtin.private_files import check_directory, locked, read_private, replace_private
from relaykit.errors import CredentialError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class KeyringIndex:
    """The names, in a file. One that a crash left without a secret is passed over by whoever asks the keyring."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "names.json"

    def names(self) -> list[str]:
        """Return the names, sorted."""
        check_directory(self._directory)
        try:
            found = json.loads(read_private(self._path) or b"[]")
        except ValueError:
            found = None
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise CredentialError(f"{self._path}: it is damaged; move it away, and set the credentials anew")
        return sorted(found)

    def write(self, names: set[str]) -> None:
        """Replace them."""
        replace_private(self._path, json.dumps(sorted(names)).encode())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only writer."""
        check_directory(self._directory)
        with locked(self._directory / "lock") as held:
            if not held:
                raise CredentialError(f"{self._directory}: another process has been writing here for 10 s; try again")
            yield

    @contextmanager
    def rotating(self, name: str) -> Iterator[bool]:
        """Be the only one that rotates this credential."""
        with locked(self._directory / f"rotating-{name}.lock", seconds=0) as held:
            yield held
