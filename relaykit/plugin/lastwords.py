"""What a program complained of before its end."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Awaitable, Callable

import anyio
from anyio import BrokenResourceError, ClosedResourceError, EndOfStream

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LINES = 100
_LONGEST = 65536
"""Bytes of a line that has no end yet; the last ones are kept."""
_SECONDS = 0.2


class LastWords:
    """The last lines of a program's standard error."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque(maxlen=_LINES)
        self._rest = b""
        self._over = anyio.Event()

    async def listen(self, receive: Callable[[], Awaitable[bytes]]) -> None:
        """Read until nothing more comes, and keep the last of it."""
        try:
            while True:
                *lines, self._rest = (self._rest + await receive())[-_LONGEST:].split(b"\n")
                self._lines.extend(lines)
        except (EndOfStream, ClosedResourceError, BrokenResourceError):
            self._over.set()

    async def heard(self) -> list[str]:
        """Return the lines that say something, without colours, once all was read.

        That is not waited for long: a process that the program left behind may hold the pipe open.
        """
        with anyio.move_on_after(_SECONDS):
            await self._over.wait()
        lines = (line.decode("utf-8", "replace") for line in (*self._lines, self._rest))
        return [said for line in lines if (said := _COLOUR.sub("", line).strip())]
