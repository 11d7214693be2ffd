"""The transport ``local``: programs that embed the relay read here what is sent to people.

Whoever is not subscribed loses nothing: the delivery waits in the mailbox, where ``relaykit inbox`` shows it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import anyio

from relaykit.errors import TransportError
from relaykit.plugin.transport import Receipt

if TYPE_CHECKING:
    from anyio.abc import ObjectReceiveStream
    from anyio.streams.memory import MemoryObjectSendStream

    from relaykit.model import Message
    from relaykit.plugin import Context


class LocalTransport:
    """Hands messages to subscribers in this process."""

    def __init__(self) -> None:
        self._readers: defaultdict[str, list[MemoryObjectSendStream[Message]]] = defaultdict(list)

    @property
    def readers(self) -> Collection[str]:
        """Whose messages are read now."""
        return self._readers

    @contextmanager
    def subscribe(self, person: str) -> Iterator[ObjectReceiveStream[Message]]:
        """Read a person's messages. Each counts as acknowledged when it is in the stream, so read it to its end.

        Several subscribers of one person each get every message.
        """
        send, receive = anyio.create_memory_object_stream["Message"](math.inf)
        self._readers[person].append(send)
        try:
            with send, receive:
                yield receive
        finally:
            self._readers[person].remove(send)
            if not self._readers[person]:
                del self._readers[person]

    def reaches(self, recipient: str) -> bool:
        """Whether somebody reads that person's messages."""
        return recipient in self._readers

    async def send(self, message: Message, recipient: str) -> Receipt:
        """Hand the message to whoever reads that person's messages."""
        await anyio.lowlevel.checkpoint()
        if not self.reaches(recipient):
            raise TransportError(f"nobody reads {recipient}'s messages in this process now")
        readers = self._readers[recipient]
        for reader in readers:
            reader.send_nowait(message)
        return Receipt(detail=f"handed to {len(readers)} subscriber{'s' * (len(readers) > 1)} in this process")


@asynccontextmanager
async def open_local(_options: Mapping[str, Any], _context: Context) -> AsyncIterator[LocalTransport]:
    """Open the transport."""
    yield LocalTransport()
