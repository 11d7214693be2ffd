"""The wire of ``codex app-server``, without I/O: bytes in, messages out, and the bytes to send.

One JSON object a line, without a ``jsonrpc`` field. Client and server number their requests independently, so an
id alone says nothing: what has a ``method`` and an ``id`` is a request of the server's.
"""

from __future__ import annotations

from itertools import count

from msgspec import Struct

from relaykit.plugin.fields import Fields, identifier, number, table, text
from relaykit.plugin.jsonlines import MAX_LINE, Lines, Skipped, as_line

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


Incoming = Response | Failure | Notification | ServerRequest | Skipped


class Connection:
    """One connection's state: a line that is not complete yet, and the requests that wait for an answer."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self.receive = Lines[Incoming](self._sorted, max_line).receive
        """Take in bytes, however they are cut, and return the messages that are complete."""
        self._ids = count(1)
        self._waiting: dict[int, str] = {}

    def request(self, method: str, params: Fields) -> tuple[int, bytes]:
        """Return the id of a new request, and what to send."""
        request = next(self._ids)
        self._waiting[request] = method
        if len(self._waiting) > MAX_UNANSWERED:
            del self._waiting[next(iter(self._waiting))]
        return request, as_line({"id": request, "method": method, "params": params})

    def notify(self, method: str) -> bytes:
        """Return what to send for a notification."""
        return as_line({"method": method})

    def answer(self, request: int | str, result: Fields) -> bytes:
        """Return what to send as the answer to a request of the server's."""
        return as_line({"id": request, "result": result})

    def refuse(self, request: int | str, message: str) -> bytes:
        """Return what to send where a request of the server's is not answered."""
        return as_line({"id": request, "error": {"code": REFUSED, "message": message}})

    def _sorted(self, message: Fields, size: int) -> Incoming:
        request, method = identifier(message, "id"), text(message, "method")
        if method and request is not None:
            return ServerRequest(request, method, table(message, "params"))
        if method:
            return Notification(method, table(message, "params"))
        asked = self._waiting.pop(request, None) if isinstance(request, int) else None
        if asked is None or not isinstance(request, int):
            return Skipped(reason="an answer to nothing that was asked", size=size)
        if "result" not in message or message.get("error") is not None:
            error = table(message, "error")
            code = number(error, "code")
            return Failure(
                request, asked, REFUSED if code is None else code, text(error, "message"), table(error, "data")
            )
        return Response(request, asked, table(message, "result"))
