"""As much of an HTTP server as a scripted dock needs: it can also break off, stay silent and send slowly."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

if TYPE_CHECKING:
    from anyio.abc import ObjectReceiveStream, SocketStream

_MOST = 2**24


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request."""

    method: str
    target: str
    """As it was sent."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = b""

    @property
    def parts(self) -> list[str]:
        """The path's parts, each decoded."""
        return [unquote(part) for part in urlsplit(self.target).path.strip("/").split("/")]

    @property
    def query(self) -> dict[str, str]:
        """The query's values."""
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body) if self.body else None

    def __str__(self) -> str:
        return f"{self.method} {urlsplit(self.target).path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; with ``pieces`` one without an end of its own, sent as they come."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: ObjectReceiveStream[bytes] | None = None


Handler = Callable[[Received], Awaitable[Reply | None]]
"""Answers a request; None breaks the connection off without an answer."""


async def converse(socket: SocketStream, handler: Handler) -> None:
    """Answer the requests of one connection until either side closes it."""
    reader = BufferedByteReceiveStream(socket)
    try:
        async with socket:
            while (reply := await handler(await _receive(reader))) is not None:
                await _send(socket, reply)
                if reply.pieces is not None:
                    return
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.IncompleteRead, anyio.ClosedResourceError):
        return


async def _receive(reader: BufferedByteReceiveStream) -> Received:
    head = (await reader.receive_until(b"\r\n\r\n", _MOST)).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    size = int(headers.get("content-length", 0))
    body = await reader.receive_exactly(size) if size else b""
    return Received(method=method, target=target, headers=headers, body=body)


async def _send(socket: SocketStream, reply: Reply) -> None:
    headers = {"Content-Type": "application/json", **reply.headers}
    if reply.pieces is None:
        headers["Content-Length"] = str(len(reply.body))
    else:
        headers |= {"Content-Type": "text/event-stream", "Connection": "close"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    await socket.send(f"HTTP/1.1 {reply.status} Said\r\n{lines}\r\n".encode() + reply.body * (reply.pieces is None))
    if reply.pieces is not None:
        async with reply.pieces, anyio.create_task_group() as tasks:
            tasks.start_soon(_until_gone, socket, tasks.cancel_scope, name="scripted dock: watch a stream")
            async for piece in reply.pieces:
                await socket.send(piece)
            tasks.cancel_scope.cancel()


async def _until_gone(socket: SocketStream, scope: anyio.CancelScope) -> None:
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        while True:
            await socket.receive()
    scope.cancel()
