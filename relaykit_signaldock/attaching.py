"""Files of messages: uploaded before the message that names them, fetched from the server that named them."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

import httpx
from msgspec.structs import replace

from relaykit.errors import NotFoundError, TransportRefusedError
from relaykit.model import ATTACHMENTS, Attachment
from relaykit_signaldock.client import Request
from relaykit_signaldock.failures import DockError

if TYPE_CHECKING:
    from relaykit.model import Message
    from relaykit_signaldock.protocol import Attached
    from relaykit_signaldock.shared import Shared

_SECONDS = 60.0
"""For one file."""
_LONGEST = 4000
_PLACE = re.compile(r"/(?!/)[!-~]{0,2000}")


def incoming(named: Sequence[Attached]) -> tuple[tuple[Attachment, ...], list[str]]:
    """Return the files of a message that can be fetched, and the names of the others, each in one line."""
    read = [_read(one) for one in named]
    good = [one for one in read if one is not None][:ATTACHMENTS]
    left = [one.name for one, record in zip(named, read, strict=True) if record is None or record not in good]
    return tuple(good), [" ".join(name.split()) for name in left]


def _read(one: Attached) -> Attachment | None:
    """Return a file that is said well enough: without a digest nobody can tell what comes."""
    if one.sha256 is None or one.size is None or one.url is None or len(one.url) > _LONGEST:
        return None
    made = Attachment(
        name=one.name.replace("\\", "/").rpartition("/")[2],
        media_type=one.media_type or "application/octet-stream",
        size=one.size,
        sha256=one.sha256,
        source=one.url,
    )
    return made if made.flaw is None else None


class Files:
    """The way of files to and from the server of one account."""

    def __init__(self, shared: Shared) -> None:
        self._client = shared.client
        self._store = shared.context.attachments
        self._url = shared.account.url

    async def upload(self, message: Message) -> tuple[Message, list[dict[str, Any]]]:
        """Upload what a message names; return how it is to be sent: without what could not be had, which it says.

        Raises:
            TransportError: Not this time.
        """
        files, lost = [], []
        for one in message.attachments:
            try:
                await self._upload(one)
            except (NotFoundError, DockError) as error:
                if isinstance(error, DockError) and not error.final:
                    raise
                lost.append(f"\n[Attached, and not sent: {one.name}: {' '.join(str(error).split())}]")
            else:
                about = {"filename": one.name, "contentType": one.media_type, "size": one.size, "sha256": one.sha256}
                files.append(about)
        return replace(message, body="\n".join([message.body, *lost])) if lost else message, files

    async def _upload(self, one: Attachment) -> None:
        if self._store is None:
            raise NotFoundError("nothing is attached here")
        content = await self._store.read(one.sha256)
        headers = {"Content-Type": "application/octet-stream"}
        path = f"/attachments/{one.sha256}"
        request = Request(method="PUT", path=path, content=content, headers=headers, seconds=_SECONDS)
        await self._client.ask(request)

    async def fetch(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """Yield the content of a file.

        Raises:
            TransportRefusedError: It lies elsewhere, where the key is not to go, or the server has it no longer.
            TransportError: It cannot be had.
        """
        place = (attachment.source or "").removeprefix(self._url)
        if not _PLACE.fullmatch(place):
            raise TransportRefusedError(f"it does not lie at {self._url}")
        try:
            answer = await self._client.ask(Request(method="GET", path=place, is_for_file=True, seconds=_SECONDS))
        except httpx.InvalidURL:
            raise TransportRefusedError("the server says no good address for it") from None
        yield answer.body
