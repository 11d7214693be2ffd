"""From the start of a process to its first finished turn: a raw driver, the relay, the SDK, in turn."""

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
    raw, relay, sdk = [], [], []
    with subject.stub(child=True) as stub, subject.home(stub.base_url) as home:
        for _ in range(ROUNDS + 1):
            raw.append(_driver([sys.executable, "-m", subject.raw_module, "--first"], subject, home))
            relay.append(_relay(subject, home))
            if subject.has_sdk:
                sdk.append(_driver([sys.executable, str(subject.sdk_file)], subject, home))
    return _figure(subject, milliseconds(raw[1:]), milliseconds(relay[1:]), milliseconds(sdk[1:]) if sdk else None)


def _figure(subject: Subject, raw: float, relay: float, sdk: float | None) -> Figure:
    what = f"from process start to the first finished {subject.title} turn"
    if sdk is None:
        note = f"raw driver {raw:.0f} ms; {subject.sdk} is not installed"
        return Figure(part="first turn", what=what, value=relay, unit="ms", note=note)
    note = f"{relay:.0f} ms; SDK {sdk:.0f} ms, raw driver {raw:.0f} ms"
    unit = f"of the {subject.sdk}"
    return Figure(part="first turn", what=what, value=relay / sdk, unit=unit, aim=subject.first_aim, note=note)


def _driver(argv: list[str], subject: Subject, home: Path) -> float:
    with (
        tempfile.TemporaryDirectory() as cwd,
        running([*argv, subject.binary(), str(home), cwd], environment(cwd), cwd=HERE.parent) as driver,
    ):
        return driver.seconds


def _relay(subject: Subject, home_of_agent: Path) -> float:
    """Start a relay for an agent that has mail; the reply is seen by another process, this one."""
    name = subject.provider
    options = [f"--option={key}={value}" for key, value in subject.options(home_of_agent).items()]
    argv = [RELAYKIT, "run", "--provider", name, *options]
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
