"""Real relays on the embedded default, driven by the command line."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from relaykit.testing.program import Program

ECHO = {"provider": "echo"}
HOLD = 'text=$(cat); echo "begin $text" >> log; head -c 1 gate > /dev/null; echo "end $text" >> log; printf "did %s" "$text"'
"""A command that writes down when it begins and ends, and waits in between until someone opens the gate."""
HELD = {"provider": "exec", "options": {"command": ["sh", "-c", HOLD]}}


@dataclass
class Site:
    """A home, a directory to work in, and a configuration."""

    program: Program
    gate: int
    """Held open for reading and writing: what nobody has read yet stays in it."""

    @property
    def cwd(self):
        return self.program.cwd

    def configure(self, profiles=(), **agents):
        """Write the configuration: agents by name, and profiles."""
        lines = ["[relay]", "drain_seconds = 1"]
        for name, settings in {**agents}.items():
            options = settings.get("options", {})
            plain = {key: value for key, value in settings.items() if key != "options"}
            lines += _table(f"agents.{name}", {"cwd": str(self.cwd), **plain})
            lines += _table(f"agents.{name}.options", options) if options else []
        for name, settings in dict(profiles).items():
            lines += _table(f"profiles.{name}", settings)
        (self.cwd / "relaykit.toml").write_text("\n".join(lines), encoding="utf-8")

    @contextmanager
    def run(self, profiles=(), **agents):
        self.configure(profiles, **agents)
        with self.program.relay(agents=len(agents)) as relay:
            yield relay

    def send(self, *words):
        return self.program.send(*words)

    def delivery(self, message):
        """Return a message's one delivery, as its trace tells it."""
        (delivery,) = self.program.deliveries(message).values()
        return delivery

    def ended(self, message):
        """Return a message's deliveries, by recipient, once they have ended."""
        return self.program.ended(message)

    def open_gate(self):
        """Let one held command go on, now or when it comes."""
        os.write(self.gate, b"x")

    def log(self):
        return (self.cwd / "log").read_text(encoding="utf-8").splitlines()


def _table(name, values):
    return [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]


@pytest.fixture
def site(tmp_path: Path):
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    os.mkfifo(cwd / "gate")
    gate = os.open(cwd / "gate", os.O_RDWR)
    yield Site(Program(home=tmp_path / "home", cwd=cwd, env={"XDG_CONFIG_HOME": str(tmp_path / "config")}), gate)
    os.close(gate)


@pytest.fixture
def echo():
    return dict(ECHO)


@pytest.fixture
def held():
    return dict(HELD)
