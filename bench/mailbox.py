"""How many messages a second the mailbox carries, and how soon another process is woken.

Beside it, in the same run: the bare writer thread with the smallest queue that there is, and aiosqlite where it is
installed. A cycle is put, lease and settle of 1 KiB, each returned before the next begins.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from bench.figures import Figure
from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox.sqlite import SqliteMailbox, open_mailbox
from relaykit.model import USER, Agent, Draft, MessageKind, State
from relaykit.storage.connect import Schema
from relaykit.storage.database import Database
from relaykit.storage.writer import open_writer

BODY = "x" * 1024
AIMS = {64: 8000, 1: 1000}
QUEUE = "CREATE TABLE item (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, body TEXT NOT NULL);\n"
READY = "CREATE INDEX ready ON item (id) WHERE state = 0;\n"
PUT = "INSERT INTO item (state, body) VALUES (0, ?)"
LEASE = (
    "UPDATE item SET state = 1 WHERE id = (SELECT id FROM item WHERE state = 0 ORDER BY id LIMIT 1) RETURNING id, body"
)
SETTLE = "UPDATE item SET state = 2 WHERE id = ?"
SECONDS = 2.5
WAKE_UPS = 300
FOLLOWER = """
import sys, time
from pathlib import Path
from relaykit.mailbox import reading
from relaykit.mailbox.door import open_door
with open_door(Path(sys.argv[1])) as door, door.listen() as watch:
    print("ready", flush=True)
    for _ in range(int(sys.argv[2])):
        watch.wait_for(None)
        door.run(reading.inbox, "user", limit=1)
        print(time.monotonic(), flush=True)
"""

Cycle = Callable[[int], Awaitable[None]]
Opened = Callable[[Path, int], Any]


@asynccontextmanager
async def mailbox_cycle(directory: Path, callers: int, *, reply: bool = False) -> AsyncIterator[Cycle]:
    async with open_mailbox(directory / "mailbox.db", routers=[AddressRouter()]) as mailbox:
        agents = [Agent(id=f"agent-{number}", provider="echo", cwd="/") for number in range(callers)]
        epochs = [(await mailbox.claim(agent, "relay")).epoch for agent in agents]

        async def cycle(caller: int) -> None:
            name = agents[caller].id
            await mailbox.put(Draft(sender=USER, to=name, body=BODY))
            leased = await mailbox.lease(
                name, owner="relay", epoch=epochs[caller], submission="submission", session="session"
            )
            assert leased is not None
            text = Draft(sender=name, to=USER, body="done", kind=MessageKind.REPLY) if reply else None
            await mailbox.settle([leased.lease], State.ANSWERED, "completed", reply=text)

        yield cycle


@asynccontextmanager
async def replying_cycle(directory: Path, callers: int) -> AsyncIterator[Cycle]:
    async with mailbox_cycle(directory, callers, reply=True) as cycle:
        yield cycle


@asynccontextmanager
async def writer_cycle(directory: Path, _callers: int) -> AsyncIterator[Cycle]:
    def made() -> Database[sqlite3.Connection]:
        return Database(directory / "queue.db", Schema("queue", (QUEUE + READY,)), lambda connection: connection)

    async with open_writer("queue", made, lambda *_: None) as writer:

        async def cycle(_caller: int) -> None:
            await writer.run(lambda queue: queue.execute(PUT, (BODY,)))
            item, _ = await writer.run(lambda queue: queue.execute(LEASE).fetchone())
            await writer.run(lambda queue: queue.execute(SETTLE, (item,)))

        yield cycle


@asynccontextmanager
async def aiosqlite_cycle(directory: Path, _callers: int) -> AsyncIterator[Cycle]:
    import aiosqlite  # noqa: PLC0415 - only where it is installed

    async with aiosqlite.connect(directory / "queue.db", isolation_level=None) as queue:
        await queue.execute("PRAGMA journal_mode = WAL")
        await queue.execute("PRAGMA synchronous = NORMAL")
        await queue.executescript(QUEUE + READY)

        async def cycle(_caller: int) -> None:
            await queue.execute(PUT, (BODY,))
            ((item, _),) = await queue.execute_fetchall(LEASE)
            await queue.execute(SETTLE, (item,))

        yield cycle


async def rate(opened: Opened, callers: int, seconds: float) -> dict[str, float]:
    """Run cycles from so many callers; return cycles a second and the latencies of a cycle in milliseconds."""
    latencies: list[float] = []

    async def call(cycle: Cycle, caller: int, end: float) -> None:
        while (begun := time.perf_counter()) < end:
            await cycle(caller)
            latencies.append((time.perf_counter() - begun) * 1000)

    with tempfile.TemporaryDirectory() as directory:
        async with opened(Path(directory), callers) as cycle:
            await cycle(0)
            begun = time.perf_counter()
            async with anyio.create_task_group() as tasks:
                for caller in range(callers):
                    tasks.start_soon(call, cycle, caller, begun + seconds, name=f"caller {caller}")
            took = time.perf_counter() - begun
    return {"per_second": round(len(latencies) / took), **percentiles(latencies)}


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    return {"p50_ms": round(median(milliseconds), 2), "p99_ms": round(quantiles(milliseconds, n=100)[-1], 2)}


async def wake_ups(count: int) -> dict[str, float]:
    """Put messages while another process watches; return after how many milliseconds it had read each."""
    with tempfile.TemporaryDirectory() as directory:
        async with open_mailbox(Path(directory) / "mailbox.db", routers=[AddressRouter()]) as mailbox:
            argv = [sys.executable, "-c", FOLLOWER, directory, str(count)]
            async with await anyio.open_process(argv, stderr=None) as follower:
                assert follower.stdout is not None
                lines = BufferedByteReceiveStream(follower.stdout)
                await lines.receive_until(b"\n", 100)
                return percentiles([await wake_up(mailbox, lines) for _ in range(count)])


async def wake_up(mailbox: SqliteMailbox, lines: BufferedByteReceiveStream) -> float:
    begun = time.monotonic()
    await mailbox.put(Draft(sender="bench", to=USER, body=BODY))
    return (float(await lines.receive_until(b"\n", 100)) - begun) * 1000


async def measure_all(seconds: float) -> dict[str, Any]:
    rows: dict[str, Opened] = {
        "mailbox": mailbox_cycle,
        "mailbox, with a reply": replying_cycle,
        "bare writer": writer_cycle,
    }
    if find_spec("aiosqlite"):
        rows["aiosqlite"] = aiosqlite_cycle
    cycles = {name: {n: await rate(opened, n, seconds) for n in AIMS} for name, opened in rows.items()}
    return {"cycles": cycles, "wake_up": await wake_ups(WAKE_UPS)}


def measure() -> list[Figure]:
    measured = anyio.run(measure_all, SECONDS)
    rates = [_rate(measured["cycles"], callers, aim) for callers, aim in AIMS.items()]
    woken = measured["wake_up"]
    note = f"p99 {woken['p99_ms']} ms"
    what = "another process woken, and the message read"
    return [*rates, Figure(part="mailbox", what=what, value=woken["p50_ms"], unit="ms", aim=2, note=note)]


def _rate(cycles: dict[str, dict[int, dict[str, float]]], callers: int, aim: float) -> Figure:
    others = [f"{name} {cycles[name][callers]['per_second']:,}" for name in cycles if name != "mailbox"]
    return Figure(
        part="mailbox",
        what=f"mailbox: put, lease and settle of 1 KiB, {callers} caller{'s' if callers > 1 else ''}",
        value=cycles["mailbox"][callers]["per_second"],
        unit="per second",
        aim=aim,
        least=True,
        note=f"p99 {cycles['mailbox'][callers]['p99_ms']} ms; {', '.join(others)}",
    )


def show(measured: dict[str, Any]) -> None:
    print(f"{'put, lease, settle of 1 KiB':28}{'callers':>8}{'per second':>12}{'p50 ms':>9}{'p99 ms':>9}")
    for name, by_callers in measured["cycles"].items():
        for callers, found in by_callers.items():
            print(f"{name:28}{callers:>8}{found['per_second']:>12,}{found['p50_ms']:>9}{found['p99_ms']:>9}")
    print(f"another process has read it: {measured['wake_up']['p50_ms']} ms, p99 {measured['wake_up']['p99_ms']} ms")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="How many messages a second the mailbox carries.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each figure")
    options = parser.parse_args(argv)
    measured = anyio.run(measure_all, options.seconds)
    if options.json:
        print(json.dumps(measured))
    else:
        show(measured)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
