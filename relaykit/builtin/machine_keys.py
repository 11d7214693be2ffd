"""The keys of this machine, each in a file of its own, and what is sealed with them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from relaykit.builtin.private_files import read_private, replace_private, sync_directory
from relaykit.errors import CredentialError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_BYTES = 32
_NONCE = 12
_ENDING = ".key"


class MachineKeys:
    """Keys under numbers. A rotation adds one, and removes the old one when nothing is sealed with it any more."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def cipher(self, number: int) -> AESGCM:
        """Return what seals with the key of that number; CredentialError where there is none."""
        path = self._path(number)
        key = read_private(path)
        if key is None:
            raise CredentialError(
                f"{path}: the machine key is missing; put it back from a backup, or move {self._directory} away and "
                "set the credentials anew"
            )
        if len(key) != _BYTES:
            raise CredentialError(
                f"{path}: a machine key has {_BYTES} bytes, not {len(key)}; put it back from a backup"
            )
        return aes_gcm(key)

    def make(self, number: int) -> AESGCM:
        """Make a key, or take the one that a crash left unused; it is on disk when this returns."""
        path = self._path(number)
        key = read_private(path)
        if key is None or len(key) != _BYTES:
            replace_private(path, os.urandom(_BYTES))
        return self.cipher(number)

    def keep_only(self, number: int) -> None:
        """Remove every other key."""
        others = [path for path in self._directory.glob(f"machine-*{_ENDING}*") if path != self._path(number)]
        for path in others:
            path.unlink(missing_ok=True)
        if others:
            sync_directory(self._directory)

    def _path(self, number: int) -> Path:
        return self._directory / f"machine-{number}{_ENDING}"


def aes_gcm(key: bytes) -> AESGCM:
    """Return AES-GCM with that key; CredentialError where the library is not installed."""
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise CredentialError(
            "the credential store 'file' needs the library cryptography; "
            'install it with: pip install "relaykit[credentials]"'
        ) from error
    return AESGCM(key)


def seal(cipher: AESGCM, data: bytes, bound: bytes) -> bytes:
    """Return the data encrypted and bound to what says where it belongs."""
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, data, bound)


def unseal(cipher: AESGCM, box: bytes, bound: bytes) -> bytes | None:
    """Return what was sealed; None where it was sealed with another key, for another place, or was changed."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above

    try:
        return cipher.decrypt(box[:_NONCE], box[_NONCE:], bound)
    except (InvalidTag, ValueError):
        return None
