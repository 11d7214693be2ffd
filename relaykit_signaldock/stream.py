"""The stream of events: messages as they come. It is opened again for ever, and the poller covers every gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from relaykit.errors import CredentialError, StoreError, TransportError
from relaykit_signaldock.alarm import Alarm, back_off
from relaykit_signaldock.client import Request
from relaykit_signaldock.failures import DockError, LostError, SignedOutError
from relaykit_signaldock.protocol import is_silent, streamed
from relaykit_signaldock.sse import OversizeError, Parser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from relaykit.model import Secret
    from relaykit_signaldock.poller import Poller
    from relaykit_signaldock.receiving import Receiver
    from relaykit_signaldock.shared import Shared
    from relaykit_signaldock.sse import Frame

_NONE_SECONDS = 300.0
"""Until the next try at a server that has no stream."""
_STEADY = 30.0
"""Seconds after which a stream counts as steady, so that the next loss begins with the shortest delay."""


class Stream:
    """Reads the stream for ever."""

    def __init__(self, shared: Shared, receiver: Receiver, poller: Poller) -> None:
        self._account = shared.account
        self._options = shared.options
        self._client = shared.client
        self._keys = shared.keys
        self._receiver = receiver
        self._poller = poller
        self._reporter = shared.reporter
        self._clock = shared.clock
        self._alarm = Alarm(shared.clock)
        self._connection = anyio.CancelScope()
        self._last: str | None = None

    def reopen(self) -> None:
        """Open it anew at once: the key is another one."""
        self._connection.cancel()
        self._alarm.ring()

    async def run(self) -> None:
        """Read for ever."""
        delays = back_off()
        while True:
            begun = self._clock.boot()
            wait = await self._read_until_it_ends()
            if self._clock.boot() - begun >= _STEADY:
                delays = back_off()
            await self._alarm.wait(max(wait, next(delays)))

    async def _read_until_it_ends(self) -> float:
        """Read one connection; return the least seconds until the next."""
        try:
            with anyio.CancelScope() as self._connection:
                await self._connect()
        except SignedOutError as error:
            self._client.tell_signed_out(error)
        except DockError as error:
            if error.final:
                self._no_stream(error)
                return _NONE_SECONDS
            return error.retry_after or 0.0
        except (TransportError, StoreError, CredentialError) as error:
            self._reporter.trouble("stream", f"the stream is lost, polling meanwhile: {error}")
        finally:
            if self._poller.streaming:
                self._poller.streaming = False
                self._poller.look()
        return 0.0

    def _no_stream(self, error: DockError) -> None:
        if self._options.mode == "sse":
            self._reporter.trouble("stream", f"there is no stream, polling instead: {error}")

    async def _connect(self) -> None:
        refused: SignedOutError | None = None
        for key in self._keys.to_try():
            try:
                return await self._read(key)
            except SignedOutError as error:
                refused = error
        before = self._keys.current
        if self._client.reload is not None:
            await self._client.reload()
        if self._keys.current != before:
            return await self._read(self._keys.current)
        raise refused or LostError("there is no key to open the stream with")

    async def _read(self, key: Secret) -> None:
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self._last is not None and self._last.isascii() and self._last.isprintable():
            headers["Last-Event-ID"] = self._last
        request = Request(method="GET", path=self._account.stream_path, headers=headers)
        async with self._client.stream(request, key, in_query=self._options.stream_auth == "query") as pieces:
            self._poller.streaming = True
            self._poller.look()  # what came before the stream was open is not in it
            self._reporter.well("stream", "the stream is open again")
            await self._frames(pieces)
        raise LostError("the server ended the stream")

    async def _frames(self, pieces: AsyncIterator[bytes]) -> None:
        parser = Parser()
        async for piece in pieces:
            try:
                for frame in parser.feed(piece):
                    await self._take(frame)
            except OversizeError as error:
                raise LostError(str(error)) from error

    async def _take(self, frame: Frame) -> None:
        """Take a frame's message in, or have the poller fetch what the frame does not tell well enough."""
        if is_silent(frame):
            return
        message = streamed(frame)
        if message is None or message.group is not None or message.conversation in self._options.groups:
            # Without an id it could come twice, and a group's copies have ids that the listing does not show.
            self._poller.look()
        elif await self._receiver.take(message):
            await self._tell(message.id)
        else:
            self._poller.look()  # which tries it again in time
        self._last = frame.id

    async def _tell(self, id: str) -> None:
        try:
            await self._receiver.acknowledge([id])
        except TransportError:
            self._poller.look()  # which is shown it again, and tells the server again
