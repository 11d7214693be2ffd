"""Clients of a dock that cost next to nothing: requests written beforehand, answers read no further than needed."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

END = b"\n\n"


@dataclass(frozen=True, slots=True)
class Account:
    """An agent with its key."""

    agent: str
    key: str

    def request(self, method: str, path: str, document: object = None) -> bytes:
        body = b"" if document is None else json.dumps(document).encode()
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {self.key}",
            f"X-Agent-Id: {self.agent}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body


class Line:
    """One connection, on which one request follows the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str) -> Line:
        place = urlsplit(url)
        return cls(*await asyncio.open_connection(place.hostname, place.port, limit=2**20))

    async def ask(self, request: bytes) -> bytes:
        """Return the body of the answer, which has to be a good one."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        body = await self._reader.readexactly(size)
        if head[9:10] != b"2":
            raise ConnectionError(f"{head!r} {body!r}")
        return body

    async def begin(self, request: bytes) -> None:
        """Begin a stream; return when its first event is there."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        if head[9:10] != b"2":
            raise ConnectionError(head)
        await self._reader.readuntil(END)

    async def arrival(self) -> float:
        """Return when the next message of a stream is there; signs of life are passed over."""
        while True:
            event = await self._reader.readuntil(END)
            if b"event: message" in event:
                return time.perf_counter()

    def close(self) -> None:
        self._writer.close()
