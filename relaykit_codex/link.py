"""The ways to a codex app-server: its standard input and output, or a WebSocket on a unix socket.

Both carry the same lines of JSON; over the socket each is one text frame.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Protocol

import anyio
from anyio import BrokenResourceError, EndOfStream

from relaykit.plugin.jsonlines import MAX_LINE
from relaykit.plugin.words import without_keys
from relaykit_codex.connection import UnixStream
from relaykit_codex.faults import agent_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from anyio.abc import ByteStream
    from websockets.client import ClientProtocol

    from relaykit.plugin import Child, DetachedProcess

_LOOK_SECONDS = 0.02
_LAST_WORDS_BYTES = 64 * 1024
_LAST_WORDS_SECONDS = 0.2
_CONNECTING, _OPEN = 0, 1
"""States of the protocol."""


class Server(Protocol):
    """An app-server's process, whatever leads to it."""

    @property
    def outlives(self) -> bool:
        """Whether it goes on when the link is cut."""
        ...

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    async def complaint(self) -> bytes:
        """Return what it complains of next; EndOfStream when nothing more comes."""
        ...

    async def wait(self) -> int | None:
        """Return how it ended, once it has; None where that cannot be known."""
        ...


class Link(Server, Protocol):
    """A way to one app-server."""

    async def feed(self, take: Callable[[bytes], None]) -> None:
        """Call a function with all that it says, cut anywhere; return or raise EndOfStream when nothing more comes."""

    async def send(self, line: bytes) -> None:
        """Send one line; BrokenResourceError where it no longer reads."""


class StdioLink:
    """Standard input and output of a child."""

    def __init__(self, child: Child) -> None:
        self.outlives = False
        self.pid = child.pid
        self.feed = child.stdout.feed
        self.send = child.stdin.send
        self.complaint = child.stderr.receive
        self.wait = child.wait


class SocketLink:
    """A WebSocket to the socket of an app-server."""

    def __init__(self, server: Server, frames: Frames) -> None:
        self.outlives = server.outlives
        self.pid = server.pid
        self.feed = frames.feed
        self.send = frames.send
        self.complaint = server.complaint
        self.wait = server.wait


class DetachedServer:
    """An app-server that outlives the relay; what it complains of is in a file."""

    def __init__(self, process: DetachedProcess, output: Path) -> None:
        self.outlives = True
        self.pid = process.pid
        self.wait = process.wait
        self._output = output
        self._told = False

    async def complaint(self) -> bytes:
        """Return its last words, once it is dead."""
        await self.wait()
        if self._told:
            raise EndOfStream
        self._told = True
        return (await anyio.Path(self._output).read_bytes())[-_LAST_WORDS_BYTES:]


class Frames:
    """The client's side of a WebSocket over a byte stream: lines in and out, a frame for each."""

    def __init__(self, stream: ByteStream, protocol: ClientProtocol) -> None:
        self._stream = stream
        self._protocol = protocol
        from websockets.frames import Frame  # noqa: PLC0415 - needed for sockets alone

        self._frame = Frame
        self._sending = anyio.Lock(fast_acquire=True)
        self._part = bytearray()

    async def open(self) -> None:
        """Shake hands.

        Raises:
            EndOfStream: The other side is none that speaks WebSocket, or closed the connection.
        """
        self._protocol.send_request(self._protocol.connect())
        await self._flush()
        while self._protocol.state == _CONNECTING:
            await self._read()
            if self._protocol.handshake_exc is not None:
                raise EndOfStream

    async def feed(self, take: Callable[[bytes], None]) -> None:
        """Call a function with all lines that come; EndOfStream when none will."""
        while True:
            take(await self.receive())

    async def receive(self) -> bytes:
        """Return whole lines."""
        while True:
            if lines := self._lines():
                return lines
            if self._protocol.close_expected():  # only then: what came with the goodbye was said before it
                raise EndOfStream
            await self._read()

    async def send(self, line: bytes) -> None:
        """Send a line as one frame."""
        if self._protocol.state != _OPEN:  # the other side has said goodbye; the reader sees it, too
            raise BrokenResourceError
        self._protocol.send_text(line.rstrip(b"\n"))
        await self._flush()

    def _lines(self) -> bytes:
        whole = bytearray()
        for event in self._protocol.events_received():
            # The first is the answer to the handshake; pings and the like are answered by the protocol.
            if not isinstance(event, self._frame) or event.opcode.name not in ("TEXT", "CONT"):
                continue
            self._part += event.data
            if event.fin:
                whole += self._part.replace(b"\n", b" ") + b"\n"
                self._part.clear()
        return bytes(whole)

    async def _read(self) -> None:
        self._protocol.receive_data(await self._stream.receive(256 * 1024))
        with suppress(BrokenResourceError):  # what has come is told before its end is
            await self._flush()

    async def _flush(self) -> None:
        """Send what the protocol has to send: the reader answers pings, too."""
        async with self._sending:
            for data in self._protocol.data_to_send():
                if data:
                    await self._stream.send(data)


@asynccontextmanager
async def connected(server: Server, path: Path, patience: float) -> AsyncIterator[Link]:
    """Connect to the socket of an app-server, as soon as it listens.

    Raises:
        ProviderError: It does not answer there in time, or has ended.
    """
    from websockets.client import ClientProtocol  # noqa: PLC0415 - needed for sockets alone
    from websockets.uri import parse_uri  # noqa: PLC0415

    protocol = ClientProtocol(parse_uri("ws://localhost/"), max_size=MAX_LINE)
    stream: UnixStream | None = None
    try:
        with anyio.fail_after(patience):
            stream = await _dialled(server, path)
            frames = Frames(stream, protocol)
            await frames.open()
    except (EndOfStream, BrokenResourceError, TimeoutError):
        if stream is not None:
            await anyio.aclose_forcefully(stream)
        raise agent_error("no_answer", f"codex {await _state(server)}, and does not answer on {path}") from None
    async with stream:
        yield SocketLink(server, frames)


async def _dialled(server: Server, path: Path) -> UnixStream:
    """Return a connection once the socket is there; EndOfStream where the process ends before."""
    stream: UnixStream | None = None

    async def give_up() -> None:
        await server.wait()
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(give_up, name=f"codex {server.pid}: ended before it listened")
        while stream is None:
            try:
                # What codex is told is a link to where it listens, whose own path is short enough for the kernel.
                stream = UnixStream(os.path.realpath(path))  # noqa: ASYNC240 - one call, nothing waits for a disk
            except OSError:
                await anyio.sleep(_LOOK_SECONDS)
        tasks.cancel_scope.cancel()
    if stream is None:
        raise EndOfStream
    return stream


async def _state(server: Server) -> str:
    """Return whether it runs, with its last words where it does not."""
    words = b""
    with anyio.move_on_after(_LAST_WORDS_SECONDS):
        code = await server.wait()
        with suppress(EndOfStream):
            words = await server.complaint()
        return without_keys(f"ended with exit code {code}: {words.decode('utf-8', 'replace').strip()}")
    return "is there"
