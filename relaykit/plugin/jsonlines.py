"""The wire of a program that speaks JSON, one object a line, without I/O: bytes in, messages out, and the bytes to send.

A program may say anything. What cannot be read is no error: it is passed over, and told.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from relaykit.plugin.fields import Fields

T = TypeVar("T")
MAX_LINE = 64 * 2**20
"""Bytes of one line; what is longer is passed over."""


class Skipped(Struct, frozen=True, kw_only=True):
    """A line that is no message."""

    reason: str
    size: int
    """Bytes."""


class Lines(Generic[T]):
    """Puts messages together; of a line that is not complete yet no more is held than a line may have.

    Args:
        understand: Returns what an object means that stood in so many bytes; None where it means nothing.
        max_line: Bytes of one line.
    """

    def __init__(self, understand: Callable[[Fields, int], T | None], max_line: int = MAX_LINE) -> None:
        self._understand = understand
        self._max_line = max_line
        self._line = bytearray()
        self._passed_over = 0

    def receive(self, data: bytes) -> list[T | Skipped]:
        """Take in bytes, however they are cut, and return the messages that are complete."""
        *ends, rest = data.split(b"\n")
        messages = [message for end in ends if (message := self._end_line(end)) is not None]
        if rest:
            self._keep(rest)
        return messages

    def _keep(self, part: bytes) -> None:
        if self._passed_over or len(self._line) + len(part) > self._max_line:
            self._passed_over += len(self._line) + len(part)
            self._line.clear()
        else:
            self._line += part

    def _end_line(self, part: bytes) -> T | Skipped | None:
        if self._line or self._passed_over or len(part) > self._max_line:
            self._keep(part)
            part, passed_over = bytes(self._line), self._passed_over
            self._line.clear()
            self._passed_over = 0
            if passed_over:
                return Skipped(reason=f"a line of more than {self._max_line} bytes", size=passed_over)
        if not part.strip():
            return None
        message = read_line(part)
        return self._understand(message, len(part)) if isinstance(message, dict) else message


def read_line(line: bytes) -> dict[str, Any] | Skipped:
    """Return the object that a line holds; half a surrogate pair in it, which no encoding of text takes, is replaced."""
    try:
        try:  # nearly all of it is strict JSON, which is read three times as fast
            message = msgspec.json.decode(line)
        except (msgspec.MsgspecError, ValueError):  # the one is the other's kind in newer versions only
            message = _mended(json.loads(line))
    except (ValueError, RecursionError):
        return Skipped(reason="a line that is no JSON", size=len(line))
    return message if isinstance(message, dict) else Skipped(reason="a line that is no JSON object", size=len(line))


def as_line(message: Fields) -> bytes:
    """Return the line to send for a message; text that no encoding takes has a question mark in its place."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _mended(value: Any) -> Any:
    """Replace halves of surrogate pairs: JSON may hold them, no encoding of text can."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(one) for one in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(one) for name, one in value.items()}
    return value
