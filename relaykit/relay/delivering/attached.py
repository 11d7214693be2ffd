"""What an agent is told of the files that its messages name: where they are, or why they cannot be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from hashlib import sha256
from pathlib import Path

import anyio
import anyio.to_thread

from relaykit.errors import NotFoundError, StoreError, TransportError
from relaykit.model import Attachment, Message
from relaykit.plugin import FetchesAttachments, Transport
from relaykit.plugin.words import without_keys
from relaykit.relay.faultpoints import reached
from relaykit.storage.attachments import AttachmentCache, AttachmentFiles

FETCH_SECONDS = 30.0
"""For all files of one hand-over: longer an agent's orders do not wait for a slow server."""


class _UnavailableError(Exception):
    """A file cannot be had; says why."""


class AttachedFiles:
    """Fetches the files that one agent's messages name to its cache, before the messages are handed over."""

    def __init__(self, home: Path, transports: Mapping[str, Transport], agent: str) -> None:
        self._store = AttachmentFiles(home)
        self._cache = AttachmentCache(home, agent)
        self._transports = transports

    async def told(self, messages: Sequence[Message]) -> str:
        """Return what is to stand after the text of messages, nothing where they name no file. It never fails."""
        named = [(message, one) for message in messages for one in message.attachments]
        if not named:
            return ""
        until = anyio.current_time() + FETCH_SECONDS
        lines = [await self._line(message, attachment, until) for message, attachment in named]
        return "\n\n" + "\n".join(lines)

    async def _line(self, message: Message, attachment: Attachment, until: float) -> str:
        what = f"{attachment.name} ({attachment.media_type}, {attachment.size} bytes)"
        try:
            with anyio.fail_after(max(until - anyio.current_time(), 0.0)):
                path = await self._fetched(message, attachment)
        except (_UnavailableError, NotFoundError, StoreError, TransportError) as error:
            return f"[Attached, and cannot be had: {what}: {' '.join(str(error).split())}]"
        except TimeoutError:
            return f"[Attached, and cannot be had: {what}: not there within {FETCH_SECONDS:.0f} s]"
        except Exception as error:  # noqa: BLE001 - a plugin's mistake must not end the session
            return f"[Attached, and cannot be had: {what}: fetching it failed: {without_keys(repr(error))}]"
        return f"[Attached: {what}: {path}]"

    async def _fetched(self, message: Message, attachment: Attachment) -> Path:
        if attachment.flaw is not None:
            raise _UnavailableError(attachment.flaw)
        digest, name = attachment.sha256, attachment.name
        if found := await anyio.to_thread.run_sync(self._cache.find, digest, name):
            return found
        if attachment.source is None:
            content = await anyio.to_thread.run_sync(self._store.read, digest)
        else:
            content = await self._carried(message, attachment)
        reached("fetched")
        return await anyio.to_thread.run_sync(self._cache.add, digest, name, content)

    async def _carried(self, message: Message, attachment: Attachment) -> bytes:
        transport = self._transports.get((message.account or "").partition("/")[0])
        if not isinstance(transport, FetchesAttachments):
            raise _UnavailableError("the transport that brought the message fetches no files")
        content = bytearray()
        async with aclosing(transport.fetch(attachment)) as pieces:
            async for piece in pieces:
                content += piece
                if len(content) > attachment.size:
                    raise _UnavailableError("it is larger than it was said to be")
        if sha256(content).hexdigest() != attachment.sha256:
            raise _UnavailableError("what came is not what its digest says")
        return bytes(content)
