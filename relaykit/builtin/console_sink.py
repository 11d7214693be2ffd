"""Lines for the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

import anyio.to_thread

from relaykit.builtin.wording import word, word_gap
from relaykit.model import Event, Gap

if TYPE_CHECKING:
    from relaykit.plugin import Clock, Context

_COLOURS = {"good": "32", "bad": "31", "ask": "33"}


class ConsoleSink:
    """Writes lines to a stream."""

    def __init__(self, stream: Callable[[], TextIO], clock: Clock, *, colour: bool, everything: bool) -> None:
        self._stream = stream
        self._clock = clock
        self._colour = colour
        self._everything = everything

    async def tell(self, item: Event | Gap) -> None:
        """Write a line, if the event is worth one."""
        line = self._line(item)
        if line is not None:
            # A terminal that is stopped, or a pipe that nobody reads, must not stop the event loop.
            await anyio.to_thread.run_sync(self._write, line, abandon_on_cancel=True)

    def _line(self, item: Event | Gap) -> str | None:
        wording = word_gap(item) if isinstance(item, Gap) else word(item)
        if wording is None or (wording.detail and not self._everything):
            return None
        at = datetime.fromtimestamp(self._clock.now() if isinstance(item, Gap) else item.at).astimezone()
        return f"{at:%H:%M:%S} {item.agent}: {self._painted(wording.text, wording.tone)}\n"

    def _painted(self, text: str, tone: str) -> str:
        return f"\x1b[{_COLOURS[tone]}m{text}\x1b[0m" if self._colour and tone else text

    def _write(self, line: str) -> None:
        stream = self._stream()
        encoding = stream.encoding or "utf-8"
        stream.write(line.encode(encoding, "replace").decode(encoding))
        stream.flush()


@asynccontextmanager
async def open_console(stream: str, context: Context, *, colour: str, everything: bool) -> AsyncIterator[ConsoleSink]:
    """Write to one of the process's streams, ``stdout`` or ``stderr``."""

    def file() -> TextIO:  # looked up for each line: what draws in the terminal puts another in its place meanwhile
        return sys.stdout if stream == "stdout" else sys.stderr

    yield ConsoleSink(file, context.clock, colour=_colours(colour, file()), everything=everything)


def _colours(choice: str, stream: TextIO) -> bool:
    if choice == "auto":
        return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return choice == "always"
