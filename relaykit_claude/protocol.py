"""The wire of ``claude -p --input-format stream-json``, without I/O: bytes in, messages out, and the bytes to send.

One JSON object a line both ways. ``control_request`` and ``control_response`` go both ways, too, each side with ids
of its own; all else that claude says is told by its ``type``, and a line that it does not understand ends it.
"""

from __future__ import annotations

from itertools import count

from msgspec import Struct

from relaykit.plugin.fields import Fields, table, text
from relaykit.plugin.jsonlines import MAX_LINE, Lines, Skipped, as_line
from relaykit_claude.tools import NAME


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


class Called(Struct, frozen=True):
    """Claude says something to the relay's tools, and waits for an answer under its id."""

    id: str
    message: Fields
    """Of JSON-RPC."""


class Withdrawn(Struct, frozen=True):
    """Claude no longer waits for that answer."""

    id: str


Incoming = Told | Response | Failure | Asked | Called | Withdrawn | Skipped


class Connection:
    """One connection's state: a line that is not complete yet, and the requests that wait for an answer."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self.receive = Lines[Incoming](self._sorted, max_line).receive
        """Take in bytes, however they are cut, and return the messages that are complete."""
        self._ids = count(1)
        self._waiting: dict[str, str] = {}

    def request(self, subtype: str, more: Fields) -> tuple[str, bytes]:
        """Return the id of a new request, and what to send."""
        request = f"relaykit-{next(self._ids)}"
        self._waiting[request] = subtype
        asked = {**more, "subtype": subtype}
        return request, as_line({"type": "control_request", "request_id": request, "request": asked})

    def forget(self, request: str) -> None:
        """Wait no longer for the answer to a request; one that comes nevertheless is passed over."""
        self._waiting.pop(request, None)

    def say(self, said: str, submission: str, priority: str) -> bytes:
        """Return what to send for a message; its id comes back wherever claude speaks of it.

        Taken as typed, an ``@path`` in it would be replaced by the file, which nobody would be asked for: it may be
        another agent's text. A command is only what begins with a slash, as no text but the person's own does. The rest
        is left as typed: of what claude is told to take verbatim it repeats not all.
        """
        message = {"role": "user", "content": said}
        verbatim = "@" in said and not said.startswith("/")
        about = {"uuid": submission, "priority": priority, "client_composed": verbatim}
        more = {"parent_tool_use_id": None, "session_id": "", **about}
        return as_line({"type": "user", "message": message, **more})

    def answer(self, request: str, result: Fields) -> bytes:
        """Return what to send as the answer to what claude asks."""
        return as_line(_answer({"subtype": "success", "request_id": request, "response": result}))

    def refuse(self, request: str, message: str) -> bytes:
        """Return what to send where something that claude asks is not answered."""
        return as_line(_answer({"subtype": "error", "request_id": request, "error": message}))

    def _sorted(self, message: Fields, size: int) -> Incoming | None:
        match text(message, "type"):
            case "control_request":
                return _asked(text(message, "request_id"), table(message, "request"))
            case "control_cancel_request":
                return Withdrawn(text(message, "request_id"))
            case "control_response":
                return self._answered(table(message, "response"))
            case "":
                return Skipped(reason="a line without a type", size=size)
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


def _asked(name: str, request: Fields) -> Asked | Called:
    subtype = text(request, "subtype")
    if subtype == "mcp_message" and text(request, "server_name") == NAME:
        return Called(name, table(request, "message"))
    return Asked(name, subtype, request)


def _answer(response: Fields) -> Fields:
    return {"type": "control_response", "response": response}
