"""A turn of an agent through the relay beside a raw driver's, alternately: how much longer it takes, and its CPU time.

CPU time depends on what ran in between: after the turns of the others the processor has forgotten the relay, as it has
in a relay that is idle most of the time. So it is measured in turns that follow one another, too.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio

import relaykit.relay
from bench.figures import Figure
from bench.subjects import CODEX, SUBJECTS, Subject
from bench.world import (
    LIMIT,
    RELAYKIT,
    cpu_seconds,
    environment,
    milliseconds,
    put,
    replied,
    running,
    said,
    temporary_home,
    watched_door,
)
from relaykit.config import AgentConfig, Config
from relaykit.relay import Relay

TURNS = 200
SERIES = 100
"""Turns of the relay alone, one right after the other."""
PAUSE = 0.005
"""Seconds between two turns, in which whoever ran the last one comes to rest."""
REST = 0.2
"""Seconds in which the relay writes what it left for later."""
TEXT = "say:hello"
RAW, EMBEDDED, OUTSIDE = "raw driver", "embedded relay", "relay in its own process"

Turn = Callable[[], Awaitable[float | None]]
"""Runs a turn; returns when the relay had accepted it, where there is one: from then on its turn counts."""


@dataclass
class Kind:
    """One way to run a turn."""

    turn: Turn
    pid: int | None = None
    """Of the process that runs nothing else, where there is one."""
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    series: float = 0.0
    """CPU time of a turn among others of its own."""

    async def measure(self) -> None:
        """Run a turn, and wait until what is left to do after it is done."""
        cpu, begun = time.process_time(), time.perf_counter()
        accepted = await self.turn()
        self.wall.append(time.perf_counter() - (accepted or begun))
        self.cpu.append(time.process_time() - cpu)
        await anyio.sleep(PAUSE)


def measure() -> list[Figure]:
    return [figure for subject in SUBJECTS for figure in _measured(subject)]


def _measured(subject: Subject) -> list[Figure]:
    with (
        subject.stub(child=True) as stub,
        subject.home(stub.base_url) as home,
        tempfile.TemporaryDirectory() as cwd,
        relay_process(subject, home) as relay,
        sdk(subject, home) as peer,
    ):
        kinds = {OUTSIDE: relay} | ({subject.sdk: peer} if peer else {})
        return _figures(subject, anyio.run(_alternately, subject, kinds, home, Path(cwd)))


def _figures(subject: Subject, kinds: Mapping[str, Kind]) -> list[Figure]:
    took = {name: milliseconds(kind.wall) for name, kind in kinds.items()}
    more = [
        Figure(
            part="turn",
            what=f"{subject.title} turn, {name}: from `send` accepted to reply read, more than the raw driver",
            value=took[name] - took[RAW],
            unit="ms",
            aim=subject.turn_aim,
            note=f"{took[name]:.1f} ms; {_beside(subject, took)}",
        )
        for name in (OUTSIDE, EMBEDDED)
    ]
    return [*more, *_cpu(subject, kinds)]


def _cpu(subject: Subject, kinds: Mapping[str, Kind]) -> list[Figure]:
    apart = {name: milliseconds(kind.cpu) for name, kind in kinds.items()}
    measured = {
        "between turns of the others": (apart[OUTSIDE], _beside(subject, apart)),
        "one turn after the other": (kinds[OUTSIDE].series * 1000, f"{SERIES} turns"),
    }
    what = f"CPU time of the relay per {subject.title} turn"
    return [
        Figure(part="turn", what=f"{what}, {when}", value=value, unit="ms", aim=5, note=note)
        for when, (value, note) in measured.items()
    ]


def _beside(subject: Subject, figures: Mapping[str, float]) -> str:
    sdk = subject.sdk
    peer = f"{sdk} {figures[sdk]:.1f} ms" if sdk in figures else f"{sdk} is not installed"
    return f"{RAW} {figures[RAW]:.1f} ms, {peer}"


async def _alternately(subject: Subject, kinds: dict[str, Kind], home: Path, cwd: Path) -> Mapping[str, Kind]:
    async with AsyncExitStack() as stack:
        driver = await stack.enter_async_context(subject.raw(subject.binary(), home, str(cwd)))
        relay, _ = await stack.enter_async_context(embedded(home, cwd, subject))

        async def raw() -> None:
            await driver.turn(TEXT)

        async def through_relay() -> float:
            message = (await relay.send(subject.provider, TEXT)).message.id
            accepted = time.perf_counter()
            await relay.wait(message, LIMIT)
            return accepted

        kinds[RAW], kinds[EMBEDDED] = Kind(raw), Kind(through_relay)
        for kind in kinds.values():
            await kind.turn()
        alone = [(kind, kind.pid, cpu_seconds(kind.pid)) for kind in kinds.values() if kind.pid]
        for _ in range(TURNS):
            for kind in kinds.values():
                await kind.measure()
        for kind, pid, before in alone:
            kind.cpu = [(cpu_seconds(pid) - before) / TURNS]
        await _in_series(kinds[OUTSIDE])
    return kinds


async def _in_series(relay: Kind) -> None:
    assert relay.pid is not None
    for _ in range(5):
        await relay.turn()
    await anyio.sleep(REST)
    before = cpu_seconds(relay.pid)
    for _ in range(SERIES):
        await relay.turn()
        await anyio.sleep(PAUSE)
    await anyio.sleep(REST)
    relay.series = (cpu_seconds(relay.pid) - before) / SERIES


@asynccontextmanager
async def embedded(
    home_of_agent: Path, cwd: Path, subject: Subject = CODEX
) -> AsyncIterator[tuple[Relay, Callable[[str], Awaitable[str]]]]:
    """Run a relay in this process; yield it, and what runs a turn and returns the reply."""
    name = subject.provider
    agent = AgentConfig(id=name, provider=name, cwd=cwd, options=subject.options(home_of_agent))
    with tempfile.TemporaryDirectory() as home:
        async with relaykit.relay.open(Config(home=Path(home, "home"), agents=(agent,))) as relay:

            async def say(text: str) -> str:
                (reply,) = await relay.wait((await relay.send(name, text)).message.id, LIMIT)
                return reply.body

            yield relay, say


@contextmanager
def relay_process(subject: Subject, home_of_agent: Path) -> Iterator[Kind]:
    """Run a relay in a process of its own, to which this one sends."""
    options = [f"--option={key}={value}" for key, value in subject.options(home_of_agent).items()]
    argv = [RELAYKIT, "run", "--provider", subject.provider, *options]
    with (
        temporary_home() as home,
        # An agent watches the directory that it works in: it is not the one in which the relay writes.
        tempfile.TemporaryDirectory() as cwd,
        running(argv, environment(home), cwd=cwd) as relay,
        watched_door(home) as (door, watch),
    ):

        async def turn() -> float:
            message = put(door, subject.provider, TEXT)
            accepted = time.perf_counter()
            replied(door, watch, message)
            return accepted

        yield Kind(turn, relay.process.pid)


@contextmanager
def sdk(subject: Subject, home_of_agent: Path) -> Iterator[Kind | None]:
    """Run the SDK in a process of its own, if it is there."""
    if not subject.has_sdk:
        yield None
        return
    argv = [sys.executable, str(subject.sdk_file), subject.binary(), str(home_of_agent)]
    with tempfile.TemporaryDirectory() as cwd, running([*argv, cwd], environment(cwd)) as peer:

        async def turn() -> None:
            assert peer.process.stdin is not None
            peer.process.stdin.write(b"\n")
            json.loads(said(peer.process))

        yield Kind(turn, peer.process.pid)
