"""The real program, run as processes of their own in a home of its own."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import relaykit
from relaykit.mailbox.door import open_door
from relaykit.model import State

SECONDS = 30.0
"""Bounds every command, and every wait for a line."""
T = TypeVar("T")
_SOURCE = Path(relaykit.__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        lines = self.lines
        assert len(lines) == 1, self
        return lines[0]

    @property
    def lines(self) -> list[Any]:
        """The JSON documents on standard output."""
        return [json.loads(line) for line in self.out.splitlines()]


class Output:
    """The lines that a running process writes, each waited for with a bound."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._file = process.stdout.fileno()
        self._rest = b""

    def line(self) -> str:
        """Return the next line.

        Raises:
            TimeoutError: None came.
            EOFError: None will come.
        """
        until = time.monotonic() + SECONDS
        while b"\n" not in self._rest:
            if not select.select([self._file], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError(f"no line came within {SECONDS:g} s, only {self._rest!r}")
            if not (more := os.read(self._file, 65536)):
                raise EOFError(self._rest.decode())
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def until(self, kind: str, **wanted: Any) -> Any:
        """Return the next event of that kind whose data has those values: for ``events --follow --json``."""
        while True:
            event = json.loads(self.line())
            if event["kind"] == kind and all(event["data"].get(name) == value for name, value in wanted.items()):
                return event


@dataclass
class Program:
    """Runs ``relaykit`` in a home: ``program("send", "echo", "hello")``."""

    home: Path
    cwd: Path
    env: dict[str, str] = field(default_factory=dict)

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return this process's environment, without what it says of relaykit, and with what the program needs.

        What a program prints is buffered as everyone has it, whatever the tests are run with.
        """
        dropped = ("RELAYKIT", "PYTHONUNBUFFERED")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        own = {"RELAYKIT_HOME": str(self.home), "PYTHONPATH": str(_SOURCE), "COLUMNS": "100"}
        return {**inherited, **own, **self.env, **more}

    def __call__(self, *words: str, stdin: str | bytes | None = None, env: Mapping[str, str] | None = None) -> Ended:
        """Run a command to its end."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [sys.executable, "-m", "relaykit", *words],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=SECONDS,
            env=self.environment(env or {}),
            cwd=self.cwd,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def until(self, look: Callable[[], T | None]) -> T:
        """Return what ``look`` finds once that is something; it is asked whenever the mailbox changes.

        Raises:
            TimeoutError: It found nothing.
        """
        until = time.monotonic() + SECONDS
        with open_door(self.home) as door, door.listen() as bell:
            while not (found := look()):
                left = until - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"nothing was found within {SECONDS:g} s")
                bell.wait_for(min(left, 1.0))
        return found

    def send(self, *words: str) -> str:
        """Send and do not wait; return the id."""
        sent = self("send", *words)
        assert sent.code == 0, sent
        return sent.out.strip()

    def deliveries(self, message: str) -> dict[str, Any]:
        """Return a message's deliveries as its trace tells them, by recipient."""
        return {found["recipient"]: found for found in self("trace", message, "--json").json["deliveries"]}

    def ended(self, message: str) -> dict[str, Any]:
        """Return a message's deliveries, by recipient, once all have ended."""
        return self.until(lambda: _if_ended(self.deliveries(message)))

    def status(self, agent: str, **wanted: str) -> dict[str, Any]:
        """Return an agent's status, once it has these values; it is an event before it is in the directory."""
        return self.until(lambda: self._status(agent, wanted))

    def _status(self, agent: str, wanted: Mapping[str, str]) -> dict[str, Any] | None:
        (found,) = self("status", agent, "--json").json["agents"]
        status: dict[str, Any] = found["status"]
        return status if all(status[name] == value for name, value in wanted.items()) else None

    @contextmanager
    def start(self, *words: str, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
        """Run it beside the test; killed at the end where it has not ended."""
        with subprocess.Popen(
            [sys.executable, "-m", "relaykit", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(env or {}),
            cwd=self.cwd,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    @contextmanager
    def relay(self, *words: str, agents: int = 1) -> Iterator[subprocess.Popen[str]]:
        """Run a relay from the moment that so many agents are ready; it is stopped at the end."""
        with self.start("run", *words) as process:
            output = Output(process)
            for _ in range(agents):
                assert output.line().startswith("ready "), words
            yield process
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(SECONDS)

    @contextmanager
    def following(self, *agents: str, since: int = 0) -> Iterator[Output]:
        """Follow the events after a cursor."""
        with self.start("events", *agents, "--follow", "--since", str(since), "--json") as process:
            yield Output(process)


def _if_ended(deliveries: dict[str, Any]) -> dict[str, Any] | None:
    return deliveries if all(State(found["state"]).ended for found in deliveries.values()) else None
