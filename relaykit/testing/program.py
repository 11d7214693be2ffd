"""The real program, run as processes of their own in a home of its own."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import relaykit

SECONDS = 30.0
"""Bounds every command, and every wait for a line."""
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
        """Return this process's environment, without what it says of relaykit, and with what the program needs."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RELAYKIT")}
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
