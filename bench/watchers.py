"""A turn of codex that says much, with and without someone who subscribed and then never reads."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import anyio

from bench.figures import Figure
from bench.raw_codex import raw_codex
from bench.turns import embedded
from bench.world import milliseconds
from relaykit.relay import Relay
from relaykit.testing.codex_home import codex_binary, codex_home
from relaykit.testing.openai_stub import running_stub

TURNS = 12
PIECES = 1000
ANSWER = "words and " * PIECES
TEXT = f"pieces:{PIECES}:{ANSWER}"


@dataclass
class Took:
    """What turns of one kind took, in seconds."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    async def turn(self, run: Callable[[], Awaitable[str]]) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        assert await run() == ANSWER.strip()
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)

    def cpu_per_delta(self) -> float:
        """Return the median in microseconds."""
        return median(self.cpu) / PIECES * 1e6


def measure() -> list[Figure]:
    with running_stub(child=True) as stub, codex_home(stub.base_url) as home, tempfile.TemporaryDirectory() as cwd:
        raw, alone, watched = anyio.run(_alternately, home, Path(cwd))
    return [
        Figure(
            part="watchers",
            what=f"Codex turn of {PIECES:,} deltas beside a stalled watcher",
            value=median(watched.wall) / median(alone.wall),
            unit="of the same without one",
            aim=1.1,
            note=f"{milliseconds(watched.wall):.0f} ms, without {milliseconds(alone.wall):.0f} ms, "
            f"raw driver {milliseconds(raw.wall):.0f} ms",
        ),
        Figure(
            part="watchers",
            what="CPU time of the relay per delta, one watcher stalled",
            value=watched.cpu_per_delta(),
            unit="µs",
            note=f"nobody watching {alone.cpu_per_delta():.0f} µs, raw driver {raw.cpu_per_delta():.0f} µs",
        ),
    ]


async def _alternately(home: Path, cwd: Path) -> tuple[Took, Took, Took]:
    raw, alone, watched = Took(), Took(), Took()
    async with AsyncExitStack() as stack:
        driver = await stack.enter_async_context(raw_codex(codex_binary(), home, str(cwd)))
        relay, say = await stack.enter_async_context(embedded(home, cwd))
        for _ in range(TURNS + 1):
            await raw.turn(lambda: driver.turn(TEXT))
            await alone.turn(lambda: say(TEXT))
            async with stalled(relay):
                await watched.turn(lambda: say(TEXT))
    for took in (raw, alone, watched):
        del took.wall[0], took.cpu[0]
    return raw, alone, watched


@asynccontextmanager
async def stalled(relay: Relay) -> AsyncIterator[None]:
    """Watch the agent, and read one event and no more."""
    async with relay.subscribe(agent="codex") as events, anyio.create_task_group() as tasks:

        async def read() -> None:
            await anext(events)
            await anyio.sleep_forever()

        tasks.start_soon(read, name="stalled watcher")
        yield
        tasks.cancel_scope.cancel()
