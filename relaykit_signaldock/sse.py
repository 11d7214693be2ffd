"""Server-sent events without input or output: bytes in any pieces become frames (WHATWG HTML, section 9.2.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

MAX_BYTES = 8 * 2**20
"""Of one line, and of the data of one frame: a message may have 1 MiB, escaped it may be six times that."""
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class OversizeError(ValueError):
    """The other side sends a line or a frame without end."""


class Frame(Struct, frozen=True):
    """One event of the stream."""

    event: str
    data: str
    id: str | None
    """The last id that the stream named, this frame's or an earlier one's."""
    named: bool = False
    """Whether it is this frame's."""


class Parser:
    """Cuts a stream into frames."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max = max_bytes
        self._line = bytearray()
        self._begun = False
        self._after_cr = False
        self._data: list[bytes] = []
        self._size = 0
        self._event = b""
        self._id: str | None = None
        self._named = False

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Yield the frames that are complete with this piece; OversizeError."""
        if self._after_cr and piece:
            piece = piece.removeprefix(b"\n")
            self._after_cr = False
        first, *rest = _LINE_END.split(piece)
        self._take(first)
        for more in rest:
            line, self._line = bytes(self._line), bytearray()
            if (frame := self._read(line)) is not None:
                yield frame
            self._take(more)
        self._after_cr = piece.endswith(b"\r") or (self._after_cr and not piece)

    def _take(self, more: bytes) -> None:
        self._line += more
        if len(self._line) > self._max:
            raise OversizeError(f"a line of the stream has more than {self._max} bytes")

    def _read(self, line: bytes) -> Frame | None:
        if not self._begun:
            self._begun, line = True, line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        self._field(name, value.removeprefix(b" "))
        return None

    def _field(self, name: bytes, value: bytes) -> None:
        match name:
            case b"data":
                self._size += len(value) + 1
                if self._size > self._max:
                    raise OversizeError(f"a frame of the stream has more than {self._max} bytes")
                self._data.append(value)
            case b"event":
                self._event = value
            case b"id" if b"\0" not in value:
                self._id, self._named = value.decode("utf-8", "replace"), True
            case _:
                pass  # comments, retry (the back-off is ours), and what is not known

    def _dispatch(self) -> Frame | None:
        data, event, named = self._data, self._event, self._named
        self._data, self._size, self._event, self._named = [], 0, b"", False
        if not data:
            return None
        kind = event.decode("utf-8", "replace") or "message"
        return Frame(kind, b"\n".join(data).decode("utf-8", "replace"), self._id, named)
