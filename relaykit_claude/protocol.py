"""The wire of ``claude -p --input-format stream-json``, without I/O: bytes in, messages out, and the bytes to send.

One JSON object a line both ways. ``control_request`` and ``control_response`` go both ways, too, each side with ids
of its own; all else that claude says is told by its ``type``, and a line that it does not understand ends it.
"""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import msgspec
from msgspec import Struct

from relaykit.plugin.fields import Fields, table, text

MAX_LINE = 64 * 2**20
"""Bytes of one line; what is longer is passed over."""


class Told(Struct, frozen=True):
    """Something that claude says: ``system`` by its subtype, everything else by its type."""

    kind: str
    data: Fields


class Response(Struct, frozen=True):
    """Claude did what was asked."""

    id: str
    subtype: str
    result: Fields


class Failure(Struct, frozen=True):
    """Claude did not do what was asked."""

    id: str
    subtype: str
    message: str


class Asked(Struct, frozen=True):
    """Claude asks, and waits for an answer under its id."""

    id: str
    subtype: str
    request: Fields


class Withdrawn(Struct, frozen=True):
    """Claude no longer waits for that answer."""

    id: str


class Skipped(Struct, frozen=True):
    """A line that is no message of this protocol."""

    reason: str
    size: int


Incoming = Told | Response | Failure | Asked | Withdrawn | Skipped


class Connection:
    """One connection's state: a line that is not complete yet, and the requests that wait for an answer."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._line = bytearray()
        self._passed_over = 0
        self._ids = count(1)
        self._waiting: dict[str, str] = {}

    def request(self, subtype: str, more: Fields) -> tuple[str, bytes]:
        """Return the id of a new request, and what to send."""
        request = f"relaykit-{next(self._ids)}"
        self._waiting[request] = subtype
        asked = {**more, "subtype": subtype}
        return request, _line({"type": "control_request", "request_id": request, "request": asked})

    def forget(self, request: str) -> None:
        """Wait no longer for the answer to a request; one that comes nevertheless is passed over."""
        self._waiting.pop(request, None)

    def say(self, said: str, submission: str, priority: str) -> bytes:
        """Return what to send for a person's message; its id comes back wherever claude speaks of it."""
        message = {"role": "user", "content": said}
        more = {"parent_tool_use_id": None, "session_id": "", "uuid": submission, "priority": priority}
        return _line({"type": "user", "message": message, **more})

    def answer(self, request: str, result: Fields) -> bytes:
        """Return what to send as the answer to what claude asks."""
        return _line(_answer({"subtype": "success", "request_id": request, "response": result}))

    def refuse(self, request: str, message: str) -> bytes:
        """Return what to send where something that claude asks is not answered."""
        return _line(_answer({"subtype": "error", "request_id": request, "error": message}))

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

    def _message(self, line: bytes) -> Incoming | None:
        message = read_line(line)
        return message if isinstance(message, Skipped) else self._sorted(message, len(line))

    def _sorted(self, message: Fields, size: int) -> Incoming | None:
        match text(message, "type"):
            case "control_request":
                return Asked(
                    text(message, "request_id"), text(message, "request", "subtype"), table(message, "request")
                )
            case "control_cancel_request":
                return Withdrawn(text(message, "request_id"))
            case "control_response":
                return self._answered(table(message, "response"))
            case "":
                return Skipped("a line without a type", size)
            case "system":
                return Told(text(message, "subtype") or "system", message)
            case kind:
                return Told(kind, message)

    def _answered(self, response: Fields) -> Incoming | None:
        request = text(response, "request_id")
        asked = self._waiting.pop(request, None)
        if asked is None:
            return None  # our own answer, which claude repeats
        if text(response, "subtype") == "success":
            return Response(request, asked, table(response, "response"))
        return Failure(request, asked, text(response, "error") or "it does not say why")


def read_line(line: bytes) -> Fields | Skipped:
    """Return the object that a line holds."""
    try:
        message = _parsed(line)
    except (ValueError, RecursionError):
        return Skipped("a line that is no JSON", len(line))
    if not isinstance(message, dict):
        return Skipped("a line that is no JSON object", len(line))
    return message


def _parsed(line: bytes) -> Any:
    """Return what JSON says: nearly all of it is strict, which is read three times as fast."""
    try:
        return msgspec.json.decode(line)
    except (msgspec.MsgspecError, ValueError):  # the one is the other's kind in newer versions only
        return _mended(json.loads(line))


def _answer(response: Fields) -> Fields:
    return {"type": "control_response", "response": response}


def _line(message: Fields) -> bytes:
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
