"""What the scripted model APIs have in common: an HTTP server on loopback with gates, a log and a stream of events."""

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

TICK = 0.05


class StubServer(ThreadingHTTPServer):
    """The HTTP server; every connection has a thread."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[StubHandler], port: int = 0, log: Path | None = None) -> None:
        super().__init__(("127.0.0.1", port), handler)
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

    def over(self, step: str, attempts: int | None) -> bool:
        """Count a try of a step; return whether it went wrong often enough."""
        with self._lock:
            self.attempts[step] += 1
            return attempts is not None and self.attempts[step] > attempts


class StubHandler(BaseHTTPRequestHandler):
    """Answers as JSON or as a stream of events."""

    server: StubServer
    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def body(self) -> bytes:
        """Read what was sent."""
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def opened_gate(self) -> bool:
        """Open a gate, where that is asked."""
        path = self.path.rstrip("/")
        if path.startswith("/gates/"):
            self.server.gate(path.removeprefix("/gates/")).set()
            self.json(200, {})
            return True
        return False

    def wait(self, gate: threading.Event, seconds: float) -> None:
        """Wait, writing comments so that a client that leaves is noticed."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not gate.wait(min(left, TICK)):
            self.write(b": waiting\n\n")

    def begin(self) -> None:
        """Begin a stream of events."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def event(self, event: Mapping[str, Any]) -> None:
        """Send an event."""
        self.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())

    def write(self, data: bytes) -> None:
        """Send a piece of the stream; an empty one ends it."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def cut(self) -> None:
        """Break the connection."""
        self.close_connection = True
        self.connection.close()

    def json(self, status: int, value: Mapping[str, Any]) -> None:
        """Answer with a document."""
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
    below: str = ""
    """The path under which its API lies."""
    _requests: list[Mapping[str, Any]] = field(default_factory=list)
    _log: Path | None = None

    @property
    def base_url(self) -> str:
        """What a model provider is configured with."""
        return f"http://127.0.0.1:{self.port}{self.below}"

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
def in_threads(handler: type[StubHandler], below: str = "") -> Iterator[Stub]:
    """Run a stub in threads of this process."""
    with StubServer(handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(TICK,), name="model stub", daemon=True)
        thread.start()
        try:
            yield Stub(port=server.server_address[1], below=below, _requests=server.requests)
        finally:
            server.shutdown()
            thread.join(5)


@contextmanager
def as_child(module: str, below: str = "") -> Iterator[Stub]:
    """Run a stub's module as a child that shares no CPU time with this process."""
    with TemporaryDirectory() as folder:
        log = Path(folder, "requests.jsonl")
        log.touch()
        argv = [sys.executable, "-m", module, "--log", str(log)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield Stub(port=int(process.stdout.readline().split()[1]), below=below, _log=log)
            finally:
                process.terminate()


def serve(handler: type[StubHandler], summary: str) -> None:
    """Serve until ended; prints ``READY PORT`` once it listens."""
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, help="JSON lines of what was asked")
    options = parser.parse_args()
    with StubServer(handler, options.port, options.log) as server:
        sys.stdout.write(f"READY {server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()
