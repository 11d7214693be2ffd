"""A scripted Messages API on loopback: what a message says is what the model answers.

The last text of a person is its script: steps divided by ``;;``, of which each answers one request.

    say:TEXT             a text, streamed in pieces
    slow:SECONDS:TEXT    one whose pieces are spread over a time
    pieces:NUMBER:TEXT   one in so many pieces, at once
    gate:NAME:TEXT       one that stops halfway until ``Stub.open_gate(NAME)``
    think:TEXT|TEXT      thinking, then a text
    exec:COMMAND         a call of Bash; par:COMMAND&&&… several at once
    write:PATH|TEXT      a call of Write
    tool:NAME|JSON       a call of a tool
    recall:TEXT          the text, and after it what the last tool put out
    agent:SCRIPT         a subagent with a script of its own, its steps divided by ``,,``
    background:SCRIPT    the same, in the background
    http:CODE[:N]        an HTTP error, for the first N requests of that step
    failed:TYPE          an error inside the stream
    drop[:N]             the connection breaks after the first piece
    hang:SECONDS         nothing comes
    burn:TOKENS|TEXT     a text, with so many input tokens reported

Anything else is said back. ``python -m relaykit.testing.anthropic_stub`` serves until it is ended.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from relaykit.testing.anthropic_events import failed, is_text, open_message, output, whole_message
from relaykit.testing.anthropic_steps import Answer, answer, plan
from relaykit.testing.stub_server import Stub, StubHandler, as_child, in_threads, serve


class MessagesHandler(StubHandler):
    """Answers the paths of the Messages API."""

    def do_HEAD(self) -> None:  # noqa: N802 - http.server's name
        """Say that someone is there."""
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        """Know nothing."""
        self.server.note(method="GET", path=self.path, at=time.time())
        self._error(404, "not_found_error")

    def do_POST(self) -> None:  # noqa: N802 - http.server's name
        """Answer a request for a message, or open a gate."""
        raw = self.body()
        path = self.path.partition("?")[0].rstrip("/")
        if self.opened_gate():
            return
        if path.endswith("/messages/count_tokens"):
            self.json(200, {"input_tokens": max(1, len(raw) // 4)})
        elif path.endswith("/messages"):
            self._respond(json.loads(raw))
        else:
            self._error(404, "not_found_error")

    def _respond(self, call: dict[str, Any]) -> None:
        step = plan(call)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.note(method="POST", path=self.path, at=time.time(), step=step, headers=headers, body=call)
        wanted = answer(step, call)
        if self.server.over(step, wanted.attempts):
            wanted = Answer(blocks=("recovered",))
        try:
            self._serve(wanted, call)
        except ConnectionError:
            self.server.note(closed=step, at=time.time())
            self.close_connection = True

    def _serve(self, wanted: Answer, call: dict[str, Any]) -> None:
        if wanted.status != 200:
            self._error(wanted.status, wanted.error)
            return
        if not call.get("stream"):
            self.json(200, whole_message(call, wanted))
            return
        self.begin()
        if wanted.hang:
            self.wait(threading.Event(), wanted.hang)
        message, started = open_message(call, wanted)
        self.event(started)
        if wanted.error:
            self.event(failed(wanted.error))
        else:
            self._stream(wanted, message)
        if not self.close_connection:
            self.write(b"")

    def _stream(self, wanted: Answer, message: dict[str, Any]) -> None:
        events = list(output(wanted, message))
        pieces = [n for n, event in enumerate(events) if is_text(event)]
        for number, event in enumerate(events):
            if wanted.cut and number > 1:
                self.cut()
                return
            if wanted.seconds and number in pieces:
                self.wait(threading.Event(), wanted.seconds / len(pieces))
            self.event(event)
            if wanted.gate and pieces and number == pieces[len(pieces) // 2]:
                self.wait(self.server.gate(wanted.gate), 600)

    def _error(self, status: int, kind: str) -> None:
        self.json(status, {"type": "error", "error": {"type": kind, "message": f"{status} {kind} (stub)"}})


@contextmanager
def running_stub(*, child: bool = False) -> Iterator[Stub]:
    """Run a stub on a free port: in threads of this process, or as a child that shares no CPU time with it."""
    with as_child(__name__) if child else in_threads(MessagesHandler) as stub:
        yield stub


if __name__ == "__main__":
    serve(MessagesHandler, "A scripted Messages API on loopback.")
