"""What the kernel says of processes (Linux): who they are, whether they live, and waiting for their end."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
from msgspec import Struct

_PROC = Path("/proc")
_TRIES = 10
_MOMENT = 0.005


class ProcessStat(Struct, frozen=True, kw_only=True):
    """A process at one moment. A pid and its start time together name one process of a boot for ever."""

    pid: int
    group: int
    start: int
    """Clock ticks since the machine's boot."""
    alive: bool
    """False for one that is dead and was not yet waited for."""


def process_stat(pid: int) -> ProcessStat | None:
    """Return what the kernel says of a process, or None where there is none."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The program's name stands in parentheses and may hold any character.
    rest = text[text.rindex(")") + 2 :].split()
    return ProcessStat(pid=pid, group=int(rest[2]), start=int(rest[19]), alive=rest[0] not in "ZX")


def living_members(group: int) -> list[ProcessStat]:
    """Return the living processes of a process group."""
    pids = (int(entry) for entry in os.listdir(_PROC) if entry.isdigit())  # noqa: PTH208 - names alone are wanted
    stats = (process_stat(pid) for pid in pids)
    return [stat for stat in stats if stat is not None and stat.group == group and stat.alive]


def living_bearers(variable: bytes) -> list[ProcessStat]:
    """Return the living processes, of whatever group, that were started with ``NAME=VALUE`` in their environment."""
    pids = (int(entry) for entry in os.listdir(_PROC) if entry.isdigit())  # noqa: PTH208 - names alone are wanted
    stats = (process_stat(pid) for pid in pids if variable in _environment(pid).split(b"\0"))
    return [stat for stat in stats if stat is not None and stat.alive]


async def carries(pid: int, variable: bytes) -> bool:
    """Whether ``NAME=VALUE`` is in the environment that the process was started with."""
    for _ in range(_TRIES):
        environment = _environment(pid)
        if environment:
            return variable in environment.split(b"\0")
        await anyio.sleep(_MOMENT)  # one that is just becoming another program shows none for a moment
    return False


def _environment(pid: int) -> bytes:
    try:
        return (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return b""


async def wait_exit(pid: int) -> None:
    """Return once the process is dead, waited for or not; at once where there is none."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        await anyio.wait_readable(descriptor)
    finally:
        os.close(descriptor)
