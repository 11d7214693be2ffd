"""Files of messages on the command line: taken from disk, and shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from relaykit.cli.home import home
from relaykit.errors import RefusedError, UsageError
from relaykit.model import ATTACHMENT_BYTES, ATTACHMENTS, Attachment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.model import Message


def attached(files: Sequence[Path]) -> tuple[Attachment, ...]:
    """Store files in the home; return what names them.

    Raises:
        UsageError: One of them is no file that can be read.
        RefusedError: One is too large, has no good name, or they are too many.
        StoreError: They cannot be stored.
    """
    if len(files) > ATTACHMENTS:
        raise RefusedError(f"--attach: {len(files)} files; one message takes {ATTACHMENTS}")
    return tuple(map(_stored, files))


def attachment_documents(message: Message) -> list[dict[str, Any]]:
    """Return the files that a message names for programs."""
    return [
        {"name": one.name, "media_type": one.media_type, "size": one.size, "sha256": one.sha256}
        for one in message.attachments
    ]


def attachment_lines(message: Message) -> list[str]:
    """Return the files that a message names for people, a line for each."""
    return [
        f"attached: {one.name} ({one.media_type}, {one.size} bytes, sha256 {one.sha256})" for one in message.attachments
    ]


def _stored(path: Path) -> Attachment:
    from mimetypes import guess_type  # noqa: PLC0415 - reads files of the system, and few sends attach

    from relaykit.storage.attachments import AttachmentFiles  # noqa: PLC0415 - as above

    content = _content(path)
    media_type = guess_type(path.name)[0] or "application/octet-stream"
    about = Attachment(name=path.name, media_type=media_type, size=len(content), sha256="0" * 64)
    if about.flaw is not None:
        raise RefusedError(f"--attach {path}: {about.flaw}")
    digest = AttachmentFiles(home()).keep(content)
    return Attachment(name=path.name, media_type=media_type, size=len(content), sha256=digest)


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise UsageError(f"--attach {path}: this is a directory; name a file, an archive of it perhaps")
        if path.exists() and not path.is_file():
            raise UsageError(f"--attach {path}: this is no regular file; put what it gives into one first")
        if not path.is_file():
            raise UsageError(f"--attach {path}: there is no such file; name one that can be read")
        with path.open("rb") as file:
            return file.read(ATTACHMENT_BYTES + 1)
    except OSError as error:
        raise UsageError(f"--attach {path}: {error.strerror}; name a file that can be read") from error
