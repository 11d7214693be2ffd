"""A scripted Responses API on loopback: what a message says is what the model answers.

The last message of a request is its script: steps divided by ``;;``, of which each answers one request.

    say:TEXT             a message, streamed in pieces
    slow:SECONDS:TEXT    one whose pieces are spread over a time
    pieces:NUMBER:TEXT   one in so many pieces, at once
    gate:NAME:TEXT       one that stops halfway until ``Stub.open_gate(NAME)``
    reason:TEXT|TEXT     reasoning, then a message
    exec:COMMAND         a call of whichever shell tool the request offers
    esc:COMMAND          the same, asking to leave the sandbox
    par:COMMAND&&&…      several at once
    patch:PATH|LINE      a patch that adds a file; patchup:PATH|OLD|NEW changes one
    tool:NAME|JSON       a call of a function; custom:NAME|INPUT of a custom tool
    recall:TEXT          a message: the text, and after it what the last tool put out
    http:CODE[:N]        an HTTP error, for the first N requests of that step
    failed:CODE[:TEXT]   ``response.failed``
    drop[:N]             the connection breaks after the first piece
    hang:SECONDS         nothing comes
    burn:TOKENS|TEXT     a message, with so many input tokens reported
    compact:             what a request to compact is answered with, unasked

Anything else is said back. ``python -m relaykit.testing.openai_stub`` serves until it is ended.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from relaykit.testing.openai_events import failed, open_response, output
from relaykit.testing.openai_steps import Answer, answer, plan
from relaykit.testing.stub_server import Stub, StubHandler, as_child, in_threads, serve

_COMPACTED = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "compacted"}]}]
_BELOW = "/v1"


class ResponsesHandler(StubHandler):
    """Answers the paths of the Responses API."""

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        """Answer what is only looked at."""
        self.server.note(method="GET", path=self.path, at=time.time())
        if self.path.startswith("/v1/models"):
            self.json(200, {"object": "list", "data": [], "models": []})
        elif self.headers.get("upgrade"):
            self.json(426, {"error": {"message": "the stub speaks no WebSocket"}})
        else:
            self.json(404, {"error": {"message": "no such path in the stub"}})

    def do_POST(self) -> None:  # noqa: N802 - http.server's name
        """Answer a request for a response, or open a gate."""
        raw = self.body()
        path = self.path.rstrip("/")
        if self.opened_gate():
            return
        if path.endswith("/responses/compact"):
            self.json(200, {"output": _COMPACTED})
        elif path.endswith("/responses"):
            self._respond(json.loads(raw))
        else:
            self.json(404, {"error": {"message": "no such path in the stub"}})

    def _respond(self, call: dict[str, Any]) -> None:
        step = plan(call)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.note(method="POST", path=self.path, at=time.time(), step=step, headers=headers, body=call)
        wanted = answer(step, call)
        if self.server.over(step, wanted.attempts):
            wanted = Answer(items=("recovered",))
        try:
            self._serve(wanted, call)
        except ConnectionError:
            self.server.note(closed=step, at=time.time())
            self.close_connection = True

    def _serve(self, wanted: Answer, call: dict[str, Any]) -> None:
        if wanted.status != 200:
            code, message = wanted.error
            self.json(wanted.status, {"error": {"message": message, "type": code, "code": code}})
            return
        self.begin()
        response, created = open_response(call)
        self.event(created)
        if wanted.hang:
            self.wait(threading.Event(), wanted.hang)
        elif wanted.error[0]:
            self.event(failed(response, *wanted.error))
        else:
            self._stream(wanted, response)
        if not self.close_connection:
            self.write(b"")

    def _stream(self, wanted: Answer, response: dict[str, Any]) -> None:
        events = list(output(wanted, response))
        pieces = [n for n, event in enumerate(events) if event["type"].endswith("output_text.delta")]
        for number, event in enumerate(events):
            if wanted.cut and number > 1:
                self.cut()
                return
            if wanted.seconds and number in pieces:
                self.wait(threading.Event(), wanted.seconds / len(pieces))
            self.event(event)
            if wanted.gate and pieces and number == pieces[len(pieces) // 2]:
                self.wait(self.server.gate(wanted.gate), 600)


@contextmanager
def running_stub(*, child: bool = False) -> Iterator[Stub]:
    """Run a stub on a free port: in threads of this process, or as a child that shares no CPU time with it."""
    with as_child(__name__, _BELOW) if child else in_threads(ResponsesHandler, _BELOW) as stub:
        yield stub


if __name__ == "__main__":
    serve(ResponsesHandler, "A scripted Responses API on loopback.")
