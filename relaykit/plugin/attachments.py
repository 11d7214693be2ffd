"""The contents of files that messages name, on this machine."""

from __future__ import annotations

from typing import Protocol


class AttachmentStore(Protocol):
    """Keeps contents under their SHA-256; what was kept is there for 90 days after it was kept last."""

    async def keep(self, content: bytes) -> str:
        """Store a content, safe from loss of power when this has returned; return its digest.

        Raises:
            RefusedError: It is too large, or too much is kept already.
            StoreError: It could not be stored now.
        """
        ...

    async def read(self, sha256: str) -> bytes:
        """Return a content, its digest checked.

        Raises:
            NotFoundError: There is none, or it is no longer what was stored.
            StoreError: It cannot be read now.
        """
        ...
