"""The wire of ``codex app-server``, without I/O: bytes in, messages out, and the bytes to send.

One JSON object a line, without a ``jsonrpc`` field. Client and server number their requests independently, so an
id alone says nothing: what has a ``method`` and an ``id`` is a request of the server's.
"""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import msgspec
from msgspec import Struct

from relaykit.plugin.fields import Fields, identifier, number, table, text

MAX_LINE = 64 * 2**20
"""Bytes of one line; what is longer is passed over."""
MAX_UNANSWERED = 1000
"""Requests whose answers are known for what they are; those that codex never answers are forgotten, the oldest first."""
REFUSED = -32600
"""The code of every error that codex answers with, and of ours."""


class Response(Struct, frozen=True):
    """The server did what was asked."""

    id: int
    method: str
    result: Fields


class Failure(Struct, frozen=True):
    """The server did not do what was asked."""

    id: int
    method: str
    code: int
    message: str
    data: Fields


class Notification(Struct, frozen=True):
    """Something happened."""

    method: str
    params: Fields


class ServerRequest(Struct, frozen=True):
    """The server asks, and waits for an answer under its id."""

    id: int | str
    method: str
    params: Fields


class Skipped(Struct, frozen=True):
    """A line that is no message of this protocol."""

    reason: str
    size: int


Incoming = Response | Failure | Notification | ServerRequest | Skipped


class Connection:
    """One connection's state: a line that is not complete yet, and the requests that wait for an answer."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._line = bytearray()
        self._passed_over = 0
        self._ids = count(1)
        self._waiting: dict[int, str] = {}

    def request(self, method: str, params: Fields) -> tuple[int, bytes]:
        """Return the id of a new request, and what to send."""
        request = next(self._ids)
        self._waiting[request] = method
        if len(self._waiting) > MAX_UNANSWERED:
            del self._waiting[next(iter(self._waiting))]
        return request, _line({"id": request, "method": method, "params": params})

    def notify(self, method: str) -> bytes:
        """Return what to send for a notification."""
        return _line({"method": method})

    def answer(self, request: int | str, result: Fields) -> bytes:
        """Return what to send as the answer to a request of the server's."""
        return _line({"id": request, "result": result})

    def refuse(self, request: int | str, message: str) -> bytes:
        """Return what to send where a request of the server's is not answered."""
        return _line({"id": request, "error": {"code": REFUSED, "message": message}})

    def receive(self, data: bytes) -> list[Incoming]:
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

    def _end_line(self, part: bytes) -> Incoming | None:
        if self._line or self._passed_over or len(part) > self._max_line:
            self._keep(part)
            part, passed_over = bytes(self._line), self._passed_over
            self._line.clear()
            self._passed_over = 0
            if passed_over:
                return Skipped(f"a line of more than {self._max_line} bytes", passed_over)
        return self._message(part) if part.strip() else None

    def _message(self, line: bytes) -> Incoming:
        try:
            message = _parsed(line)
        except (ValueError, RecursionError):
            return Skipped("a line that is no JSON", len(line))
        if not isinstance(message, dict):
            return Skipped("a line that is no JSON object", len(line))
        return self._sorted(message, len(line))

    def _sorted(self, message: dict[str, Any], size: int) -> Incoming:
        request, method = identifier(message, "id"), text(message, "method")
        if method and request is not None:
            return ServerRequest(request, method, table(message, "params"))
        if method:
            return Notification(method, table(message, "params"))
        asked = self._waiting.pop(request, None) if isinstance(request, int) else None
        if asked is None or not isinstance(request, int):
            return Skipped("an answer to nothing that was asked", size)
        if "result" not in message or message.get("error") is not None:
            error = table(message, "error")
            code = number(error, "code")
            return Failure(
                request, asked, REFUSED if code is None else code, text(error, "message"), table(error, "data")
            )
        return Response(request, asked, table(message, "result"))


def _line(message: Fields) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _parsed(line: bytes) -> Any:
    """Return what JSON says: nearly all of it is strict, which is read three times as fast."""
    try:
        return msgspec.json.decode(line)
    except (msgspec.MsgspecError, ValueError):  # the one is the other's kind in newer versions only
        return _mended(json.loads(line))


def _mended(value: Any) -> Any:
    """Replace halves of surrogate pairs: JSON may hold them, no encoding of text can."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(one) for one in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(one) for name, one in value.items()}
    return value
