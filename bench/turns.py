"""A turn of an agent through the relay beside a raw driver's, alternately: how much longer it takes, and its CPU time."""

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
PAUSE = 0.005
"""Seconds between two turns, in which whoever ran the last one comes to rest."""
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
    used = {name: milliseconds(kind.cpu) for name, kind in kinds.items()}
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
    what = f"CPU time of the relay per {subject.title} turn"
    return [*more, Figure(part="turn", what=what, value=used[OUTSIDE], unit="ms", aim=5, note=_beside(subject, used))]


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
    return kinds


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
        running(argv, environment(home), cwd=home) as relay,
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
