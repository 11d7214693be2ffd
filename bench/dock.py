"""What the dock costs, beside a bare Starlette application that takes the same requests and keeps nothing."""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from bench.figures import Figure
from bench.wire import Account, Line
from bench.world import RELAYKIT, cpu_seconds, environment, resident_mib, running

AGENTS = 100
STREAMS = 1000
SENDS = 300
POLLS = 1000
SECONDS = 4.0
SENDERS = 32
BODY = "x" * 256


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs, and who has accounts there."""

    url: str
    pid: int
    accounts: Sequence[Account]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one server was seen to do."""

    latencies: Sequence[float]
    """Milliseconds from before the request to the message's last byte in the stream."""
    per_second: float
    cpu_per_send: float
    """Milliseconds."""
    cpu_per_poll: float
    stream_kib: float


def measure() -> list[Figure]:
    _make_room()
    measured = []
    for opened in (_dock, _bare):
        with opened() as server:
            measured.append(asyncio.run(_bounded(server)))
    return _figures(*measured)


async def _bounded(server: Server) -> Measured:
    return await asyncio.wait_for(_measure(server), 85)


async def _measure(server: Server) -> Measured:
    memory = await _memory(server)  # first: what a server gave back before would be taken again
    streams = await _streams(server, AGENTS)
    latencies = await _latencies(server, streams)
    _close(streams)
    polling = await _polling(server)
    rate, cpu = await _rate(server)
    return Measured(latencies, rate, cpu, polling, memory)


async def _streams(server: Server, count: int) -> list[tuple[Account, Line]]:
    """Open streams, of all agents in turn, one after the other."""
    opened = []
    for number in range(count):
        account = server.accounts[number % AGENTS]
        line = await Line.open(server.url)
        await line.begin(account.request("GET", "/messages/stream"))
        opened.append((account, line))
    return opened


def _close(streams: Sequence[tuple[Account, Line]]) -> None:
    for _, line in streams:
        line.close()


async def _latencies(server: Server, streams: Sequence[tuple[Account, Line]]) -> list[float]:
    """Send to one agent after the other; wait for each message to arrive."""
    chance, sender = random.Random(5), await Line.open(server.url)
    took = []
    for _ in range(SENDS):
        account, line = chance.choice(streams)
        request = _message(server.accounts[-1], account.agent)
        begun = time.perf_counter()
        arrival = asyncio.create_task(line.arrival())
        await sender.ask(request)
        took.append((await arrival - begun) * 1000)
    sender.close()
    return took


async def _polling(server: Server) -> float:
    """Return the milliseconds of CPU time that a poll of an empty queue costs the server."""
    line, request = await Line.open(server.url), server.accounts[-1].request("GET", "/messages/peek?limit=50")
    await line.ask(request)
    before = cpu_seconds(server.pid)
    for _ in range(POLLS):
        await line.ask(request)
    line.close()
    return (cpu_seconds(server.pid) - before) * 1000 / POLLS


async def _rate(server: Server) -> tuple[float, float]:
    """Return sends per second from many senders at once, and the milliseconds of CPU time of each."""
    before, begun = cpu_seconds(server.pid), time.perf_counter()
    counts = await asyncio.gather(*(_send_on(server, number, begun + SECONDS) for number in range(SENDERS)))
    took = time.perf_counter() - begun
    return sum(counts) / took, (cpu_seconds(server.pid) - before) * 1000 / sum(counts)


async def _send_on(server: Server, number: int, until: float) -> int:
    line, count = await Line.open(server.url), 0
    own = server.accounts[number:AGENTS:SENDERS]
    requests = [_message(server.accounts[-1], account.agent) for account in own]
    while time.perf_counter() < until:
        await line.ask(requests[count % len(requests)])
        count += 1
    line.close()
    return count


async def _memory(server: Server) -> float:
    """Return the KiB that one open stream costs the server."""
    line, request = await Line.open(server.url), server.accounts[-1].request("GET", "/messages/peek")
    await line.ask(request)
    before = resident_mib(server.pid)
    streams = await _streams(server, STREAMS)
    await line.ask(request)
    grown = resident_mib(server.pid) - before
    _close(streams)
    line.close()
    return grown * 1024 / STREAMS


def _message(sender: Account, to: str) -> bytes:
    return sender.request("POST", "/messages", {"toAgentId": to, "content": BODY})


@contextmanager
def _dock() -> Iterator[Server]:
    with TemporaryDirectory() as directory:
        home = Path(directory, "home")
        home.mkdir(mode=0o700)
        with _started([RELAYKIT, "dock", "serve", "--listen", "127.0.0.1:0", "--rate", "0", "--json"], home) as found:
            person = Account("", (home / "token").read_text(encoding="utf-8").strip())
            yield Server(*found, asyncio.run(_registered(found[0], person)))


async def _registered(url: str, person: Account) -> list[Account]:
    line, accounts = await Line.open(url), []
    for number in range(AGENTS + 1):
        about = {"agentId": f"agent-{number}", "capabilities": []}
        request = person.request("POST", "/agents", about).replace(b"X-Agent-Id: \r\n", b"")
        answer = json.loads(await line.ask(request))
        accounts.append(Account(about["agentId"], answer["data"]["apiKey"]))
    line.close()
    return accounts


@contextmanager
def _bare() -> Iterator[Server]:
    with TemporaryDirectory() as directory, _started([sys.executable, "-m", "bench.bare"], Path(directory)) as found:
        yield Server(*found, [Account(f"agent-{number}", "none") for number in range(AGENTS + 1)])


@contextmanager
def _started(argv: Sequence[str], home: Path) -> Iterator[tuple[str, int]]:
    with running(argv, environment(home), cwd=Path(__file__).parents[1]) as child:
        yield json.loads(child.line)["url"], child.process.pid


def _make_room() -> None:
    """Every stream is a file descriptor here, too."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _figures(dock: Measured, bare: Measured) -> list[Figure]:
    def figure(what: str, value: float, unit: str, aim: float, note: str, *, least: bool = False) -> Figure:
        return Figure(part="dock", what=what, value=value, unit=unit, aim=aim, least=least, note=note)

    p99 = quantiles(dock.latencies, n=100)[-1]
    sent = f"bare application {median(bare.latencies):.3g} ms, p99 {quantiles(bare.latencies, n=100)[-1]:.3g} ms"
    connected = f"dock: from send to delivered through the stream, {AGENTS} agents connected"
    cpu = f"{dock.cpu_per_send:.3g} ms of CPU each; bare application {bare.per_second:,.0f}, {bare.cpu_per_send:.3g} ms"
    return [
        figure(connected, median(dock.latencies), "ms", 10, sent),
        figure(f"{connected}, 99th percentile", p99, "ms", 50, sent),
        figure(
            f"dock: sends, synced to the disk, {SENDERS} at once", dock.per_second, "per second", 1500, cpu, least=True
        ),
        figure(
            f"dock: memory of an open stream, of {STREAMS}",
            dock.stream_kib,
            "KiB",
            60,
            f"bare application {bare.stream_kib:.3g} KiB",
        ),
        figure(
            "dock: CPU time of a poll that finds nothing",
            dock.cpu_per_poll,
            "ms",
            1,
            f"bare application {bare.cpu_per_poll:.3g} ms",
        ),
    ]
