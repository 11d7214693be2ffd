"""A turn of codex through the relay beside a raw driver's, alternately: how much longer it takes, and its CPU time."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import anyio

import relaykit.relay
from bench.figures import Figure
from bench.first_turn import HERE, SDK
from bench.raw_codex import raw_codex
from bench.world import (
    LIMIT,
    RELAYKIT,
    codex_options,
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
from relaykit.testing.codex_home import codex_binary, codex_home
from relaykit.testing.openai_stub import running_stub

TURNS = 100
PAUSE = 0.005
"""Seconds between two turns, in which whoever ran the last one comes to rest."""
TEXT = "say:hello"
RAW, EMBEDDED, OUTSIDE, PEER = "raw driver", "embedded relay", "relay in its own process", "openai-codex SDK"

Turn = Callable[[], Awaitable[object]]


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
        await self.turn()
        self.wall.append(time.perf_counter() - begun)
        self.cpu.append(time.process_time() - cpu)
        await anyio.sleep(PAUSE)


def measure() -> list[Figure]:
    with (
        running_stub(child=True) as stub,
        codex_home(stub.base_url) as home,
        tempfile.TemporaryDirectory() as cwd,
        relay_process(home) as relay,
        sdk(home) as peer,
    ):
        kinds = {OUTSIDE: relay} | ({PEER: peer} if peer else {})
        return _figures(anyio.run(_alternately, kinds, home, Path(cwd)))


def _figures(kinds: Mapping[str, Kind]) -> list[Figure]:
    took = {name: milliseconds(kind.wall) for name, kind in kinds.items()}
    used = {name: milliseconds(kind.cpu) for name, kind in kinds.items()}
    more = [
        Figure(
            part="turn",
            what=f"Codex turn, {name}: from `send` to reply stored, more than the raw driver",
            value=took[name] - took[RAW],
            unit="ms",
            aim=5,
            note=f"{took[name]:.1f} ms; {_beside(took)}",
        )
        for name in (OUTSIDE, EMBEDDED)
    ]
    what = "CPU time of the relay per Codex turn"
    return [*more, Figure(part="turn", what=what, value=used[OUTSIDE], unit="ms", aim=5, note=_beside(used))]


def _beside(figures: Mapping[str, float]) -> str:
    peer = f"{PEER} {figures[PEER]:.1f} ms" if PEER in figures else f"{PEER} is not installed"
    return f"{RAW} {figures[RAW]:.1f} ms, {peer}"


async def _alternately(kinds: dict[str, Kind], home: Path, cwd: Path) -> Mapping[str, Kind]:
    async with AsyncExitStack() as stack:
        driver = await stack.enter_async_context(raw_codex(codex_binary(), home, str(cwd)))
        _, say = await stack.enter_async_context(embedded(home, cwd))
        kinds[RAW] = Kind(lambda: driver.turn(TEXT))
        kinds[EMBEDDED] = Kind(lambda: say(TEXT))
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
async def embedded(codex: Path, cwd: Path) -> AsyncIterator[tuple[Relay, Callable[[str], Awaitable[str]]]]:
    """Run a relay in this process; yield it, and what runs a turn and returns the reply."""
    agent = AgentConfig(id="codex", provider="codex", cwd=cwd, options=codex_options(codex))
    with tempfile.TemporaryDirectory() as home:
        async with relaykit.relay.open(Config(home=Path(home, "home"), agents=(agent,))) as relay:

            async def say(text: str) -> str:
                (reply,) = await relay.wait((await relay.send("codex", text)).message.id, LIMIT)
                return reply.body

            yield relay, say


@contextmanager
def relay_process(codex: Path) -> Iterator[Kind]:
    """Run a relay in a process of its own, to which this one sends."""
    options = [f"--option={name}={value}" for name, value in codex_options(codex).items()]
    argv = [RELAYKIT, "run", "--provider", "codex", *options]
    with (
        temporary_home() as home,
        running(argv, environment(home), cwd=home) as relay,
        watched_door(home) as (door, watch),
    ):

        async def turn() -> None:
            replied(door, watch, put(door, "codex", TEXT))

        yield Kind(turn, relay.process.pid)


@contextmanager
def sdk(codex: Path) -> Iterator[Kind | None]:
    """Run the SDK in a process of its own, if it is there."""
    if not find_spec(SDK):
        yield None
        return
    argv = [sys.executable, str(HERE / "sdk_codex.py"), codex_binary(), str(codex)]
    with tempfile.TemporaryDirectory() as cwd, running([*argv, cwd], environment(cwd)) as peer:

        async def turn() -> None:
            assert peer.process.stdin is not None
            peer.process.stdin.write(b"\n")
            json.loads(said(peer.process))

        yield Kind(turn, peer.process.pid)
