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
    stats = map(process_stat, _pids())
    return [stat for stat in stats if stat is not None and stat.group == group and stat.alive]


async def living_bearers(variable: bytes) -> list[ProcessStat]:
    """Return the living processes, of whatever group, that were started with ``NAME=VALUE`` in their environment."""
    environments: dict[int, bytes] = {}
    for _ in range(_TRIES):
        environments = {pid: _environment(pid) for pid in _pids()}
        if not any(_has_program(pid) for pid, environment in environments.items() if not environment):
            break
        await anyio.sleep(_MOMENT)  # it was given none, or is just becoming another program
    stats = (process_stat(pid) for pid, found in environments.items() if variable in found.split(b"\0"))
    return [stat for stat in stats if stat is not None and stat.alive]


async def carries(pid: int, variable: bytes) -> bool:
    """Whether ``NAME=VALUE`` is in the environment that the process was started with."""
    for _ in range(_TRIES):
        environment = _environment(pid)
        if environment:
            return variable in environment.split(b"\0")
        await anyio.sleep(_MOMENT)  # one that is just becoming another program shows none for a moment
    return False


def _pids() -> list[int]:
    return [int(entry) for entry in os.listdir(_PROC) if entry.isdigit()]  # noqa: PTH208 - names alone are wanted


def _has_program(pid: int) -> bool:
    """Whether it runs one of ours: the kernel's own threads do not, nor does who is dead; others' are not told."""
    try:
        (_PROC / str(pid) / "exe").readlink()
    except OSError:
        return False
    return True


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
