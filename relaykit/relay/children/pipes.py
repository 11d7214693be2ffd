"""A program's pipes as byte streams, without a thread and without a copy on the way."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream

from relaykit.descriptor import DescriptorReader

_READ = 64 * 1024
"""Bytes asked for at once: what a pipe holds. From 128 KiB on, each read would map memory of its own and unmap it."""


class PipeReader(ByteReceiveStream):
    """What a program writes."""

    def __init__(self, pipe: IO[bytes]) -> None:
        os.set_blocking(pipe.fileno(), False)
        self._pipe = pipe
        self._rest = b""
        self._reader = DescriptorReader(pipe.fileno(), self._read)

    async def receive(self, max_bytes: int = _READ) -> bytes:
        """Return what is there, waiting for something; EndOfStream once every writer has closed it."""
        if self._pipe.closed:
            raise anyio.ClosedResourceError
        data = self._rest or await self._reader.next()
        if not data:
            raise anyio.EndOfStream
        self._rest = data[max_bytes:]
        return data[:max_bytes]

    async def feed(self, take: Callable[[bytes], None]) -> None:
        """Call a function with each piece as it is written; return once every writer has closed it."""

        def took(piece: bytes) -> bool:
            if piece:
                take(piece)
            return bool(piece)

        if self._pipe.closed:
            raise anyio.ClosedResourceError
        if self._rest:
            rest, self._rest = self._rest, b""
            take(rest)
        await self._reader.feed(took)

    async def aclose(self) -> None:
        """Close it; whoever waits for it is told."""
        self._reader.stop(anyio.ClosedResourceError())
        _close(self._pipe)

    def _read(self) -> bytes:
        return os.read(self._pipe.fileno(), _READ)


class PipeWriter(ByteSendStream):
    """What a program reads."""

    def __init__(self, pipe: IO[bytes]) -> None:
        os.set_blocking(pipe.fileno(), False)
        self._pipe = pipe

    async def send(self, item: bytes) -> None:
        """Return once the kernel took all of it, at once where it does.

        BrokenResourceError where the program no longer reads.
        """
        rest = memoryview(item)
        while rest := rest[self.send_nowait(rest) :]:
            await anyio.wait_writable(self._pipe)

    def send_nowait(self, item: bytes | memoryview) -> int:
        """Write what the kernel takes at once; return how many bytes those were. Raises as ``send`` does."""
        if self._pipe.closed:
            raise anyio.ClosedResourceError
        try:
            return os.write(self._pipe.fileno(), item)
        except BlockingIOError:
            return 0
        except BrokenPipeError as exc:
            raise anyio.BrokenResourceError from exc

    async def aclose(self) -> None:
        """End the program's input."""
        _close(self._pipe)


def _close(pipe: IO[bytes]) -> None:
    if not pipe.closed:
        anyio.notify_closing(pipe)
        pipe.close()
