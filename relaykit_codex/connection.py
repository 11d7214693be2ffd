"""A connection to a unix socket whose reads may be cancelled at any moment.

anyio's own stream (4.16) leaves a callback behind where a read is cancelled in the moment in which something comes: it
fails in the event loop, after the connection is closed.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
from anyio import BrokenResourceError, EndOfStream
from anyio.abc import ByteStream

if TYPE_CHECKING:
    from pathlib import Path


class UnixStream(ByteStream):
    """Bytes to and from a unix socket."""

    def __init__(self, path: Path | str) -> None:
        """Connect. OSError where nobody listens there, or too many wait."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.setblocking(False)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Return what comes next.

        Raises:
            EndOfStream: Nothing more comes.
            BrokenResourceError: The connection is broken.
        """
        while True:
            await anyio.wait_readable(self._socket)
            try:
                data = self._socket.recv(max_bytes)
            except BlockingIOError:
                continue
            except OSError as error:
                raise BrokenResourceError from error
            if not data:
                raise EndOfStream
            return data

    async def send(self, item: bytes) -> None:
        """Send it all. BrokenResourceError where nobody reads it any more."""
        await anyio.lowlevel.checkpoint()
        rest = memoryview(item)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                await anyio.wait_writable(self._socket)
            except OSError as error:
                raise BrokenResourceError from error

    async def send_eof(self) -> None:
        """Say that nothing more is sent."""
        self._socket.shutdown(socket.SHUT_WR)

    async def aclose(self) -> None:
        """Close it; whoever reads gets ClosedResourceError."""
        anyio.notify_closing(self._socket)
        self._socket.close()
        await anyio.lowlevel.checkpoint()
