"""What the parts of the benchmark share: homes, processes, the clocks of other processes."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import anyio

from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox import letters, reading
from relaykit.mailbox.door import Door, DoorWatch, open_door
from relaykit.mailbox.sqlite import open_mailbox
from relaykit.model import USER, Agent, Draft, new_id
from relaykit.testing.codex_home import codex_binary

PROGRAMS = Path(sys.executable).parent
RELAYKIT = str(PROGRAMS / "relaykit")
LIMIT = 30.0
"""Seconds after which whatever is waited for has failed."""
_UNSET = ("PYTHONDONTWRITEBYTECODE", "RELAYKIT_AGENT", "RELAYKIT_CONFIG", "RELAYKIT_PLUGINS", "RELAYKIT_TRACE_PLUGINS")
_CPU_CLOCK = 2


def environment(home: Path | str) -> dict[str, str]:
    """Return the environment of a child: with byte code, as everyone has it, and a home of its own."""
    return {name: value for name, value in os.environ.items() if name not in _UNSET} | {"RELAYKIT_HOME": str(home)}


@contextmanager
def temporary_home(*agents: Agent) -> Iterator[Path]:
    """Make a home that knows these agents, which nobody runs."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        home.mkdir(mode=0o700)
        if agents:
            anyio.run(_register, home, agents)
        yield home


async def _register(home: Path, agents: Sequence[Agent]) -> None:
    async with open_mailbox(home / "mailbox.db", routers=[AddressRouter()]) as mailbox:
        for agent in agents:
            await mailbox.claim(agent, "bench")


@dataclass(frozen=True, slots=True)
class Running:
    """A child that has said its first line."""

    process: subprocess.Popen[bytes]
    seconds: float
    """From its start to that line."""
    line: str = ""


@contextmanager
def running(argv: Sequence[str], env: Mapping[str, str], *, cwd: Path | str | None = None) -> Iterator[Running]:
    """Start a child that says a line when it is ready; end it afterwards."""
    begun = time.perf_counter()
    process = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    try:
        line = said(process)
        yield Running(process, time.perf_counter() - begun, line)
    finally:
        end(process)


def whole(argv: Sequence[str], env: Mapping[str, str]) -> float:
    """Run a program to its end; return the seconds that it took."""
    begun = time.perf_counter()
    with subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL) as process:
        # A wait with a timeout of subprocess looks only now and then, up to 50 ms apart.
        if not select.select([handle := os.pidfd_open(process.pid)], [], [], LIMIT)[0]:
            process.kill()
        took = time.perf_counter() - begun
        os.close(handle)
    if process.returncode:
        raise ChildProcessError(f"{argv!r} ended with {process.returncode}")
    return took


def said(process: subprocess.Popen[bytes]) -> str:
    """Return the next line of a child."""
    assert process.stdout is not None
    if not select.select([process.stdout], [], [], LIMIT)[0]:
        raise TimeoutError(f"{process.args!r} said nothing for {LIMIT:g} s")
    line = process.stdout.readline()
    if not line:
        raise EOFError(f"{process.args!r} ended with {process.wait(LIMIT)}")
    return line.decode()


def end(process: subprocess.Popen[bytes]) -> None:
    """End a child in good order, or at once where it takes too long."""
    with process:
        process.terminate()
        try:
            process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used, its children's not included."""
    return time.clock_gettime(~pid << 3 | _CPU_CLOCK)


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def codex_options(codex_home: Path) -> dict[str, str]:
    """Return a provider's options that drive the codex of the benchmark."""
    return {"command": codex_binary(), "codex_home": str(codex_home)}


@contextmanager
def watched_door(home: Path) -> Iterator[tuple[Door, DoorWatch]]:
    """Open the mailbox as a command of its own does, and listen."""
    with open_door(home, routers=(AddressRouter(),)) as door, door.listen() as watch:
        yield door, watch


def put(door: Door, agent: str, body: str) -> str:
    """Put a message from outside; return its id."""
    return door.run(letters.put, Draft(id=new_id(), sender=USER, to=agent, body=body)).message.id


def replied(door: Door, watch: DoorWatch, message: str) -> float:
    """Wait for the reply; return when this process heard that it is stored."""
    until = time.monotonic() + LIMIT
    heard = time.perf_counter()
    while not door.run(reading.replies, message):
        if time.monotonic() > until:
            raise TimeoutError(f"no reply within {LIMIT:g} s: {door.run(reading.trace, message)}")
        watch.wait_for(1, USER)
        heard = time.perf_counter()
    return heard


def milliseconds(seconds: Sequence[float]) -> float:
    """Return the median in milliseconds."""
    return median(seconds) * 1000
