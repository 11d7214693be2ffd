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

import argparse
import http.client
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from relaykit.testing.openai_events import failed, open_response, output
from relaykit.testing.openai_steps import Answer, answer, plan

_TICK = 0.05
_COMPACTED = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "compacted"}]}]


class StubServer(ThreadingHTTPServer):
    """The HTTP server; every connection has a thread."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int = 0, log: Path | None = None) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.requests: list[Mapping[str, Any]] = []
        self.gates: dict[str, threading.Event] = {}
        self.attempts: Counter[str] = Counter()
        self._log = log
        self._lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet when a client has gone; anything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def note(self, **entry: Any) -> None:
        """Add an entry to the log."""
        with self._lock:
            self.requests.append(entry)
            if self._log:
                with self._log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(entry) + "\n")

    def gate(self, name: str) -> threading.Event:
        """Return the gate of that name."""
        with self._lock:
            return self.gates.setdefault(name, threading.Event())

    def recovered(self, step: str, wanted: Answer) -> Answer:
        """Return the answer, or a good one if the step went wrong often enough."""
        with self._lock:
            self.attempts[step] += 1
            over = wanted.attempts is not None and self.attempts[step] > wanted.attempts
        return Answer(items=("recovered",)) if over else wanted


class _Handler(BaseHTTPRequestHandler):
    server: StubServer
    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.server.note(method="GET", path=self.path, at=time.time())
        if self.path.startswith("/v1/models"):
            self._json(200, {"object": "list", "data": [], "models": []})
        elif self.headers.get("upgrade"):
            self._json(426, {"error": {"message": "the stub speaks no WebSocket"}})
        else:
            self._json(404, {"error": {"message": "no such path in the stub"}})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = self.path.rstrip("/")
        if path.startswith("/gates/"):
            self.server.gate(path.removeprefix("/gates/")).set()
            self._json(200, {})
        elif path.endswith("/responses/compact"):
            self._json(200, {"output": _COMPACTED})
        elif path.endswith("/responses"):
            self._respond(json.loads(raw))
        else:
            self._json(404, {"error": {"message": "no such path in the stub"}})

    def _respond(self, call: dict[str, Any]) -> None:
        step = plan(call)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.note(method="POST", path=self.path, at=time.time(), step=step, headers=headers, body=call)
        wanted = self.server.recovered(step, answer(step, call))
        try:
            self._serve(wanted, call)
        except ConnectionError:
            self.server.note(closed=step, at=time.time())
            self.close_connection = True

    def _serve(self, wanted: Answer, call: dict[str, Any]) -> None:
        if wanted.status != 200:
            code, message = wanted.error
            self._json(wanted.status, {"error": {"message": message, "type": code, "code": code}})
            return
        self._begin()
        response, created = open_response(call)
        self._event(created)
        if wanted.hang:
            self._wait(threading.Event(), wanted.hang)
        elif wanted.error[0]:
            self._event(failed(response, *wanted.error))
        else:
            self._stream(wanted, response)
        if not self.close_connection:
            self._write(b"")

    def _stream(self, wanted: Answer, response: dict[str, Any]) -> None:
        events = list(output(wanted, response))
        pieces = [n for n, event in enumerate(events) if event["type"].endswith("output_text.delta")]
        for number, event in enumerate(events):
            if wanted.cut and number > 1:
                self.close_connection = True
                self.connection.close()
                return
            if wanted.seconds and number in pieces:
                self._wait(threading.Event(), wanted.seconds / len(pieces))
            self._event(event)
            if wanted.gate and pieces and number == pieces[len(pieces) // 2]:
                self._wait(self.server.gate(wanted.gate), 600)

    def _wait(self, gate: threading.Event, seconds: float) -> None:
        """Wait, writing comments so that a client that leaves is noticed."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not gate.wait(min(left, _TICK)):
            self._write(b": waiting\n\n")

    def _begin(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def _event(self, event: Mapping[str, Any]) -> None:
        self._write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())

    def _write(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _json(self, status: int, value: Mapping[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if status == 429:
            self.send_header("retry-after", "1")
        self.end_headers()
        self.wfile.write(body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stub:
    """A running stub."""

    port: int
    _requests: list[Mapping[str, Any]] = field(default_factory=list)
    _log: Path | None = None

    @property
    def base_url(self) -> str:
        """What a model provider is configured with."""
        return f"http://127.0.0.1:{self.port}/v1"

    def requests(self) -> list[Mapping[str, Any]]:
        """Return what was asked so far: method, path, step and body; ``closed`` where a client left early."""
        if self._log is None:
            return list(self._requests)
        return [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines()]

    def open_gate(self, name: str) -> None:
        """Let a ``gate:`` step go on, now or when it comes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("POST", f"/gates/{name}")
        connection.getresponse().read()
        connection.close()


@contextmanager
def running_stub(*, child: bool = False) -> Iterator[Stub]:
    """Run a stub on a free port: in threads of this process, or as a child that shares no CPU time with it."""
    with _child() if child else _threads() as stub:
        yield stub


@contextmanager
def _threads() -> Iterator[Stub]:
    with StubServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(_TICK,), name="responses stub", daemon=True)
        thread.start()
        try:
            yield Stub(port=server.server_address[1], _requests=server.requests)
        finally:
            server.shutdown()
            thread.join(5)


@contextmanager
def _child() -> Iterator[Stub]:
    with TemporaryDirectory() as folder:
        log = Path(folder, "requests.jsonl")
        log.touch()
        argv = [sys.executable, "-m", __name__, "--log", str(log)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield Stub(port=int(process.stdout.readline().split()[1]), _log=log)
            finally:
                process.terminate()


def main() -> None:
    """Serve until ended; prints ``READY PORT`` once it listens."""
    parser = argparse.ArgumentParser(description="A scripted Responses API on loopback.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, help="JSON lines of what was asked")
    options = parser.parse_args()
    with StubServer(options.port, options.log) as server:
        sys.stdout.write(f"READY {server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
