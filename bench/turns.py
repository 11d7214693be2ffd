"""A turn of an agent through the relay beside a raw driver's: how much longer it takes, and its CPU time.

One and the same program takes a millisecond more or less from one start to the next, and more where it was started
before the others. So all are started anew a few times, another one first each time, and run some turns before what they
take counts: an agent is there to stay. The relay gives its agent tools, which the raw driver and the SDK do not, so it is
measured without them, too, and so is Claude Code with a raw driver that gives it the same. Then each runs a series of turns, one right after the other: a turn after those
of others finds the processor's caches cold, whoever runs it. In such, too, CPU time is measured, for a relay is idle
most of the time.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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

STARTS = 5
WARM_UP = 40
"""Turns of each program, in each start, that do not count."""
ROUNDS = 2
"""In each start; each program has its series of turns in every round."""
SERIES = 20
"""Turns one right after the other: in all a program has 200 of them."""
APART = 20
"""Turns of each program in each start between turns of the others."""
PAUSE = 0.005
"""Seconds between two turns, in which whoever ran the last one comes to rest."""
REST = 0.2
"""Seconds in which the relay writes what it left for later."""
TEXT = "say:hello"
RAW, EMBEDDED, OUTSIDE = "raw driver", "embedded relay", "relay in its own process"
WITHOUT_TOOLS = "relay without its tools"
EQUIPPED = "raw driver that gives the same words and tools"

Turn = Callable[[], Awaitable[float]]
"""Runs a turn; returns the seconds that it took: through the relay, from when it was accepted until its reply is stored."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run turns, in one start."""

    turn: Turn
    pid: int | None = None
    """Of the process that runs nothing else, where there is one."""
    agent: int | None = None
    """Process id of the agent's program, of a relay in a process of its own."""

    def used(self) -> float:
        """Return the CPU time that its process has used so far."""
        return time.process_time() if self.pid is None else cpu_seconds(self.pid)


@dataclass(frozen=True, slots=True)
class Took:
    """What the turns of one way took, in all starts: seconds, of time and of CPU time."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


Results = dict[str, Took]
"""By the name of the way."""


@dataclass(frozen=True, slots=True)
class Measured:
    """All that was measured of one program."""

    series: Results = field(default_factory=lambda: defaultdict(Took))
    """Turns one right after the other."""
    apart: Results = field(default_factory=lambda: defaultdict(Took))
    """Turns between those of the other ways."""


def measure() -> list[Figure]:
    return [figure for subject in SUBJECTS for figure in _measured(subject)]


def _measured(subject: Subject) -> list[Figure]:
    measured = Measured()
    with subject.stub(child=True) as stub, subject.home(stub.base_url) as home:
        for number in range(STARTS):
            anyio.run(_start, subject, home, measured, number)
    return _figures(subject, measured)


async def _start(subject: Subject, home: Path, measured: Measured, number: int) -> None:
    names = [OUTSIDE, EMBEDDED, RAW, WITHOUT_TOOLS, *([subject.sdk] if subject.has_sdk else [])]
    async with AsyncExitStack() as stack:
        ways: dict[str, Way] = {}
        for name in names[number:] + names[:number]:
            ways[name] = await _opened(stack, name, subject, home)
            if name == OUTSIDE and subject.equipped and (agent := ways[name].agent):
                cwd = stack.enter_context(tempfile.TemporaryDirectory())
                ways[EQUIPPED] = _driven(await stack.enter_async_context(subject.equipped(agent, cwd)))
        for way in ways.values():
            for _ in range(WARM_UP):
                await way.turn()
        for _ in range(ROUNDS):
            for name, way in ways.items():
                await _one_after_the_other(way, measured.series[name])
        await _between_others(ways, measured.apart)


async def _opened(stack: AsyncExitStack, name: str, subject: Subject, home: Path) -> Way:
    if name == OUTSIDE:
        return stack.enter_context(relay_process(subject, home))
    if name == WITHOUT_TOOLS:
        return stack.enter_context(relay_process(subject, home, "--listen=off"))
    if name == subject.sdk:
        return stack.enter_context(sdk(subject, home))
    cwd = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    if name == RAW:
        return _driven(await stack.enter_async_context(subject.raw(subject.binary(), home, str(cwd))))
    relay, _ = await stack.enter_async_context(embedded(home, cwd, subject))
    return _through(relay, subject.provider)


def _driven(driver: Any) -> Way:
    async def turn() -> float:
        begun = time.perf_counter()
        await driver.turn(TEXT)
        return time.perf_counter() - begun

    return Way(turn)


def _through(relay: Relay, agent: str) -> Way:
    async def turn() -> float:
        message = (await relay.send(agent, TEXT)).message.id
        accepted = time.perf_counter()
        await relay.wait(message, LIMIT)
        return time.perf_counter() - accepted

    return Way(turn)


async def _one_after_the_other(way: Way, took: Took) -> None:
    await anyio.sleep(REST)
    before = way.used()
    for _ in range(SERIES):
        took.wall.append(await way.turn())
        await anyio.sleep(PAUSE)
    await anyio.sleep(REST)
    took.cpu.append((way.used() - before) / SERIES)


async def _between_others(ways: Mapping[str, Way], took: Results) -> None:
    alone = {name: way.used() for name, way in ways.items() if way.pid}
    for _ in range(APART):
        for name, way in ways.items():
            before = way.used()
            took[name].wall.append(await way.turn())
            await anyio.sleep(PAUSE)
            if name not in alone:
                took[name].cpu.append(way.used() - before)
    await anyio.sleep(REST)
    for name, before in alone.items():
        took[name].cpu.append((ways[name].used() - before) / APART)


def _figures(subject: Subject, measured: Measured) -> list[Figure]:
    took, others = _walls(measured.series), _walls(measured.apart)
    bare = {OUTSIDE: f"{_own(took)}without the relay's tools {took[WITHOUT_TOOLS] - took[RAW]:.1f} ms more; "}
    more = [
        Figure(
            part="turn",
            what=f"{subject.title} turn, {name}: from `send` accepted to reply stored, more than the raw driver",
            value=took[name] - took[RAW],
            unit="ms",
            aim=subject.turn_aim,
            note=f"{took[name]:.1f} ms; {_beside(subject, took)}; {bare.get(name, '')}"
            f"between turns of the others {others[name] - others[RAW]:.1f} ms more than its {others[RAW]:.1f} ms",
        )
        for name in (OUTSIDE, EMBEDDED)
    ]
    return [*more, *_cpu(subject, measured)]


def _own(took: Mapping[str, float]) -> str:
    """Say how much longer the program itself takes with what a relay gives it, whoever drives it."""
    return f"a {EQUIPPED} {took[EQUIPPED] - took[RAW]:.1f} ms more; " if EQUIPPED in took else ""


def _cpu(subject: Subject, measured: Measured) -> Iterator[Figure]:
    times = {"one turn after the other": measured.series, "between turns of the others": measured.apart}
    for when, results in times.items():
        used = {name: milliseconds(took.cpu) for name, took in results.items()}
        yield Figure(
            part="turn",
            what=f"CPU time of the relay per {subject.title} turn, {when}",
            value=used[OUTSIDE],
            unit="ms",
            aim=5,
            note=_beside(subject, used),
        )


def _walls(results: Results) -> Mapping[str, float]:
    return {name: milliseconds(took.wall) for name, took in results.items()}


def _beside(subject: Subject, figures: Mapping[str, float]) -> str:
    sdk = subject.sdk
    peer = f"{sdk} {figures[sdk]:.1f} ms" if sdk in figures else f"{sdk} is not installed"
    return f"{RAW} {figures[RAW]:.1f} ms, {peer}"


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
def relay_process(subject: Subject, home_of_agent: Path, *words: str) -> Iterator[Way]:
    """Run a relay in a process of its own, to which this one sends."""
    options = [f"--option={key}={value}" for key, value in subject.options(home_of_agent).items()]
    argv = [RELAYKIT, "run", "--provider", subject.provider, *options, *words]
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
            return replied(door, watch, message) - accepted

        yield Way(turn, relay.process.pid, int(relay.line.partition("(pid ")[2].partition(",")[0]))


@contextmanager
def sdk(subject: Subject, home_of_agent: Path) -> Iterator[Way]:
    """Run the SDK in a process of its own."""
    argv = [sys.executable, str(subject.sdk_file), subject.binary(), str(home_of_agent)]
    with tempfile.TemporaryDirectory() as cwd, running([*argv, cwd], environment(cwd)) as peer:

        async def turn() -> float:
            assert peer.process.stdin is not None
            begun = time.perf_counter()
            peer.process.stdin.write(b"\n")
            json.loads(said(peer.process))
            return time.perf_counter() - begun

        yield Way(turn, peer.process.pid)
