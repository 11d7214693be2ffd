"""A file that a message names."""

from __future__ import annotations

import re

from relaykit.model.record import Record

ATTACHMENTS = 16
"""Files that one message may name."""
ATTACHMENT_BYTES = 16 * 2**20
"""Size of one file."""
_NAME_BYTES = 200
_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Attachment(Record, frozen=True, kw_only=True):
    """A file that a message names; its content is stored under its digest, apart from the message."""

    name: str
    """As its sender calls it: one part of a path."""
    media_type: str
    size: int
    """Bytes."""
    sha256: str
    """Digest of the content, 64 hexadecimal digits."""
    source: str | None = None
    """Where the transport that brought the message finds the content; None is this machine's own store."""

    @property
    def flaw(self) -> str | None:
        """Why it cannot be taken, if so: whoever takes one from outside asks first."""
        if not _is_name(self.name):
            return f"its name has to be one printable part of a path, of at most {_NAME_BYTES} bytes"
        if not _DIGEST.fullmatch(self.sha256):
            return "its SHA-256 has to be 64 hexadecimal digits in lower case"
        if not _TYPE.fullmatch(self.media_type):
            return "its media type has to be like text/plain"
        if not 0 <= self.size <= ATTACHMENT_BYTES:
            return f"it has {self.size} bytes; {ATTACHMENT_BYTES} may be"
        return None


def _is_name(name: str) -> bool:
    fits = 0 < len(name.encode("utf-8", "replace")) <= _NAME_BYTES and name.isprintable()
    return fits and not set(name) & set("/\\") and name not in (".", "..")
