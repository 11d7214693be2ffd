"""How long the programs take from their start: whole processes, one after the other, in turn."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.figures import Figure
from bench.world import PROGRAMS, RELAYKIT, environment, milliseconds, running, temporary_home, whole
from relaykit.model import Agent

ROUNDS = 15
STARTS = 5
AIMS = {"--version": 0.3, "--help": 0.6, "send": 0.6}


def measure() -> list[Figure]:
    return [*_commands(), _ready()]


def _commands() -> list[Figure]:
    with temporary_home(Agent(id="echo", provider="echo", cwd="/")) as home:
        took = _in_turn(_programs(), environment(home))
    bare, tox = took["python -c pass"], took.get("tox --version")
    beside = f"bare interpreter {bare:.0f} ms" + (f", tox {tox:.0f} ms" if tox else ", tox is not installed")
    return [_figure(name, took[f"relaykit {name}"], tox, beside) for name in AIMS]


def _figure(name: str, took: float, tox: float | None, beside: str) -> Figure:
    what = f"`relaykit {name}`, whole process"
    if tox is None:
        return Figure(part="start-up", what=what, value=took, unit="ms", note=beside)
    return Figure(
        part="start-up",
        what=what,
        value=took / tox,
        unit="of tox --version",
        aim=AIMS[name],
        note=f"{took:.0f} ms; {beside}",
    )


def _programs() -> dict[str, list[str]]:
    programs = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "relaykit --version": [RELAYKIT, "--version"],
        "relaykit --help": [RELAYKIT, "--help"],
        "relaykit send": [RELAYKIT, "send", "echo", "hello"],
    }
    tox = PROGRAMS / "tox"
    return programs | ({"tox --version": [str(tox), "--version"]} if tox.exists() else {})


def _in_turn(programs: Mapping[str, Sequence[str]], env: Mapping[str, str]) -> dict[str, float]:
    """Return each program's median in milliseconds; the first round writes byte code and is not counted."""
    took: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(ROUNDS + 1):
        for name, argv in programs.items():
            took[name].append(whole(argv, env))
    return {name: milliseconds(seconds[1:]) for name, seconds in took.items()}


def _ready() -> Figure:
    took = []
    for _ in range(STARTS + 1):
        with (
            temporary_home() as home,
            running([RELAYKIT, "run", "--provider", "echo"], environment(home), cwd=Path(home)) as relay,
        ):
            took.append(relay.seconds)
    what = "`relaykit run --provider echo`, from its start to ready"
    return Figure(part="start-up", what=what, value=milliseconds(took[1:]), unit="ms", aim=500)
