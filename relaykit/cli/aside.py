"""Lines that others write while a picture stands in the terminal: kept out of it, for whoever draws to put them above."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from io import TextIOBase
from threading import Lock
from typing import TextIO, cast


class _Aside(TextIOBase):
    """Stands in for a stream, for any thread."""

    def __init__(self, stream: TextIO, say: Callable[[str], None]) -> None:
        self._stream = stream
        self._say = say
        self._lock = Lock()
        self._rest = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._say(line)
        return len(text)

    def end(self) -> None:
        """Say what no end of a line came after."""
        if self._rest:
            self.write("\n")


@contextmanager
def lines_aside(lines: deque[str]) -> Iterator[None]:
    """Collect what is written to the standard streams, where they are a terminal; what is left at the end is written."""
    try:
        with ExitStack() as stack:
            for stream, redirect in ((sys.stdout, redirect_stdout), (sys.stderr, redirect_stderr)):
                if stream.isatty():
                    aside = _Aside(stream, lines.append)
                    stack.callback(aside.end)
                    stack.enter_context(redirect(cast("TextIO", aside)))
            yield
    finally:
        while lines:
            sys.stdout.write(f"{lines.popleft()}\n")
