"""Running real commands for the demo: a relay beside it, and commands against its home."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import IO, Any

from relaykit.cli.output import indented, painted, say
from relaykit.errors import RelaykitError

_READY_SECONDS = 20.0
_RUN_SECONDS = 50.0
_STOP_SECONDS = 10.0


class Stage:
    """A home of its own, and the commands that act in it."""

    def __init__(self, home: Path, *, seconds: float = _RUN_SECONDS) -> None:
        self.home = home
        self._seconds = seconds
        self._config = home / "relaykit.toml"
        # The caller's own configuration and agent have no part in this.
        own = {name: value for name, value in os.environ.items() if not name.startswith("RELAYKIT_")}
        self._environment = {**own, "RELAYKIT_HOME": str(home)}

    def command(self, *words: str) -> list[str]:
        """Return the words that run this very relaykit."""
        return [sys.executable, "-m", "relaykit", *words]

    def write_config(self, text: str, command: Sequence[str]) -> None:
        """Write the relay's configuration; a JSON string or list is a TOML one, too."""
        self._config.write_text(
            text.format(home=json.dumps(str(self.home)), command=json.dumps(list(command))), encoding="utf-8"
        )

    @contextmanager
    def relay(self, agents: int) -> Iterator[None]:
        """Run the relay, from the moment that so many agents are ready until the context ends."""
        words = self.command("run", "--config", str(self._config))
        # Whoever is told to end before it knows the process that it starts leaves that behind.
        with (
            _put_off(signal.SIGTERM) as hear,
            subprocess.Popen(words, stdout=subprocess.PIPE, bufsize=0, env=self._environment, cwd=self.home) as process,
        ):
            try:
                hear()
                _show_ready(process.stdout, agents)
                yield
            finally:
                _end(process)

    def run(self, *words: str) -> str:
        """Run a command; return what it prints."""
        say(f"   $ relaykit {' '.join(map(_quoted, words))}", now=True)
        done = subprocess.run(
            self.command(*words),
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env=self._environment,
            cwd=self.home,
            timeout=self._seconds,
            check=False,
        )
        if done.returncode != 0:
            raise RelaykitError(f"the command ended with {done.returncode}; `relaykit doctor` looks for the cause")
        return done.stdout

    def show(self, *words: str) -> None:
        """Run a command and show what it prints."""
        say(indented(self.run(*words), "   "))

    @staticmethod
    def document(text: str) -> Any:
        """Return what a command printed with --json."""
        return json.loads(text)


def heading(text: str) -> None:
    """Say what comes next."""
    say()
    say(painted(text, "bold"), now=True)


@contextmanager
def _put_off(number: int) -> Iterator[Callable[[], None]]:
    """Have a signal wait until what is yielded is called, or the context is left."""
    came: list[int] = []
    before = signal.signal(number, lambda number, _: came.append(number))

    def hear() -> None:
        signal.signal(number, before)
        while came:
            signal.raise_signal(came.pop())

    try:
        yield hear
    finally:
        hear()


def _show_ready(output: IO[bytes] | None, agents: int) -> None:
    for _ in range(agents):
        line = output.readline() if output and select([output], [], [], _READY_SECONDS)[0] else b""
        if not line:
            raise RelaykitError("the relay did not start; `relaykit doctor` looks for the cause")
        say(f"   {line.decode().rstrip()}", now=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word
