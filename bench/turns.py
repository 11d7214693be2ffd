"""A turn of codex through the relay beside a raw driver's, alternately: how much longer it takes, and its CPU time."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
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
TEXT = "say:hello"
RAW, EMBEDDED, OUTSIDE, PEER = "raw driver", "embedded relay", "relay in its own process", "openai-codex SDK"

Turn = Callable[[], Awaitable[object]]


def measure() -> list[Figure]:
    with (
        running_stub(child=True) as stub,
        codex_home(stub.base_url) as home,
        tempfile.TemporaryDirectory() as cwd,
        relay_process(home) as (pid, outside),
        sdk(home) as peer,
    ):
        turns: dict[str, Turn] = {OUTSIDE: outside} | ({PEER: peer} if peer else {})
        took, used = anyio.run(_alternately, turns, home, Path(cwd), pid)
    return _figures({name: milliseconds(seconds) for name, seconds in took.items()}, used * 1000)


def _figures(took: dict[str, float], cpu: float) -> list[Figure]:
    beside = f"raw driver {took[RAW]:.1f} ms"
    beside += f", openai-codex SDK {took[PEER]:.1f} ms" if PEER in took else ", openai-codex is not installed"
    more = [
        Figure(
            part="turn",
            what=f"Codex turn, {name}: from `send` to reply stored, more than the raw driver",
            value=took[name] - took[RAW],
            unit="ms",
            aim=5,
            note=f"{took[name]:.1f} ms; {beside}",
        )
        for name in (OUTSIDE, EMBEDDED)
    ]
    what = "CPU time of the relay per Codex turn"
    return [*more, Figure(part="turn", what=what, value=cpu, unit="ms", aim=5)]


async def _alternately(turns: dict[str, Turn], home: Path, cwd: Path, pid: int) -> tuple[dict[str, list[float]], float]:
    """Return what each kind of turn took, and the CPU time that the relay's process used for each of its own."""
    async with AsyncExitStack() as stack:
        driver = await stack.enter_async_context(raw_codex(codex_binary(), home, str(cwd)))
        _, say = await stack.enter_async_context(embedded(home, cwd))
        turns = {RAW: lambda: driver.turn(TEXT), EMBEDDED: lambda: say(TEXT), **turns}
        took: dict[str, list[float]] = {name: [] for name in turns}
        for turn in turns.values():
            await turn()
        before = cpu_seconds(pid)
        for _ in range(TURNS):
            for name, turn in turns.items():
                begun = time.perf_counter()
                await turn()
                took[name].append(time.perf_counter() - begun)
        return took, (cpu_seconds(pid) - before) / TURNS


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
def relay_process(codex: Path) -> Iterator[tuple[int, Turn]]:
    """Run a relay in a process of its own; yield its pid, and a turn that is sent from this one."""
    options = [f"--option={name}={value}" for name, value in codex_options(codex).items()]
    argv = [RELAYKIT, "run", "--provider", "codex", *options]
    with (
        temporary_home() as home,
        running(argv, environment(home), cwd=home) as relay,
        watched_door(home) as (door, watch),
    ):

        async def turn() -> None:
            replied(door, watch, put(door, "codex", TEXT))

        yield relay.process.pid, turn


@contextmanager
def sdk(codex: Path) -> Iterator[Turn | None]:
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

        yield turn
