"""From the start of a process to its first finished turn: a raw driver, the relay, the SDK, in turn.

The relay gives its agent tools, which the program asks for before its first turn; the raw driver and the SDK give none.
So the relay is measured without them, too.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Figure
from bench.subjects import HERE, SUBJECTS, Subject
from bench.world import (
    RELAYKIT,
    environment,
    milliseconds,
    put,
    replied,
    running,
    temporary_home,
    watched_door,
)
from relaykit.model import Agent

ROUNDS = 7


def measure() -> list[Figure]:
    return [_measured(subject) for subject in SUBJECTS]


def _measured(subject: Subject) -> Figure:
    raw, relay, alone, sdk = [], [], [], []
    with subject.stub(child=True) as stub, subject.home(stub.base_url) as home:
        for _ in range(ROUNDS + 1):
            raw.append(_driver([sys.executable, "-m", subject.raw_module, "--first"], subject, home))
            relay.append(_relay(subject, home))
            alone.append(_relay(subject, home, "--listen=off"))
            if subject.has_sdk:
                sdk.append(_driver([sys.executable, str(subject.sdk_file)], subject, home))
    beside = f"without the relay's tools {milliseconds(alone[1:]):.0f} ms, raw driver {milliseconds(raw[1:]):.0f} ms"
    return _figure(subject, milliseconds(relay[1:]), milliseconds(sdk[1:]) if sdk else None, beside)


def _figure(subject: Subject, relay: float, sdk: float | None, beside: str) -> Figure:
    what = f"from process start to the first finished {subject.title} turn"
    if sdk is None:
        note = f"{beside}; {subject.sdk} is not installed"
        return Figure(part="first turn", what=what, value=relay, unit="ms", note=note)
    note = f"{relay:.0f} ms; SDK {sdk:.0f} ms; {beside}"
    unit = f"of the {subject.sdk}"
    return Figure(part="first turn", what=what, value=relay / sdk, unit=unit, aim=subject.first_aim, note=note)


def _driver(argv: list[str], subject: Subject, home: Path) -> float:
    with (
        tempfile.TemporaryDirectory() as cwd,
        running([*argv, subject.binary(), str(home), cwd], environment(cwd), cwd=HERE.parent) as driver,
    ):
        return driver.seconds


def _relay(subject: Subject, home_of_agent: Path, *words: str) -> float:
    """Start a relay for an agent that has mail; the reply is seen by another process, this one."""
    name = subject.provider
    options = [f"--option={key}={value}" for key, value in subject.options(home_of_agent).items()]
    argv = [RELAYKIT, "run", "--provider", name, *options, *words]
    with (
        temporary_home(Agent(id=name, provider=name, cwd="/")) as home,
        tempfile.TemporaryDirectory() as cwd,
        watched_door(home) as (door, watch),
    ):
        message = put(door, name, "say:hello")
        begun = time.perf_counter()
        with running(argv, environment(home), cwd=cwd):
            replied(door, watch, message)
            return time.perf_counter() - begun
