"""Children are written down before they run, so that a relay that was killed leaves none behind."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import anyio
from msgspec import Struct
from msgspec.structs import asdict

from relaykit.errors import ProviderError
from relaykit.model import Fault, Whose
from relaykit.relay.children.proc import ProcessStat, carries, living_bearers, living_members, process_stat, wait_exit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MARK = "RELAYKIT_CHILD"
"""Environment variable whose value no other child has; what a dead child left behind is known by it."""
_PATIENCE = 5.0
"""Seconds in which a killed process has to be gone."""


class ChildRecord(Struct, frozen=True, kw_only=True):
    """What is written down of a child: enough to know it again, and never to take another for it."""

    pid: int
    """Its pid and that of its process group."""
    start: int
    """Its start in clock ticks since the machine's boot."""
    boot: str
    mark: str
    program: str
    key: str = ""
    """Of one that is to outlive the relay: what it was started for. Empty for one that dies with it."""

    @property
    def alive(self) -> bool:
        """Whether the child itself runs, and not a stranger under its number."""
        stat = process_stat(self.pid)
        return stat is not None and stat.alive and stat.start == self.start


def write_record(directory: Path, record: ChildRecord) -> Path:
    """Write a child down, in one step: a reader sees all of it or nothing.

    It is not synced: after a loss of power the boot is another one, and the record means nothing.
    """
    path = _path(directory, record)
    half = path.with_suffix(".new")
    with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - opens the descriptor, which no Path does
        json.dump(asdict(record), file)
    half.rename(path)
    return path


async def end_orphans(directory: Path, boot: str) -> Sequence[ChildRecord]:
    """End what the children written down in a directory left running, and forget them.

    Those that are to outlive the relay, and do, are left alone. Only the holder of the lock that the directory stands for may call this.

    Returns:
        The children of which something was still alive.

    Raises:
        ProviderError: A process was killed and does not go, so that nothing new may be started beside it.
    """
    return await _end_all([one for one in _written_down(directory) if not _outlives(one[1], boot)], boot)


async def end_detached(directory: Path, boot: str) -> Sequence[ChildRecord]:
    """End the children that outlive relays, and forget them. As ``end_orphans`` otherwise."""
    found = [(path, record) for path, record in _written_down(directory) if record is not None and record.key]
    return await _end_all(found, boot)


def detached(directory: Path, boot: str) -> Sequence[ChildRecord]:
    """Return the children written down in a directory that outlive relays, those among them that died, too."""
    found = [record for _, record in _written_down(directory)]
    return [record for record in found if record is not None and record.key and record.boot == boot]


async def forget(directory: Path, record: ChildRecord) -> None:
    """End what a child left running, and forget it."""
    await _end_all([(_path(directory, record), record)], record.boot)


def _outlives(record: ChildRecord | None, boot: str) -> bool:
    return record is not None and bool(record.key) and record.boot == boot and record.alive


async def _end_all(found: Sequence[tuple[Path, ChildRecord | None]], boot: str) -> Sequence[ChildRecord]:
    ended = []
    for path, record in found:
        if record is not None and record.boot == boot and await _end(record):
            ended.append(record)
        path.unlink(missing_ok=True)
    return ended


async def end_marked(mark: str) -> None:
    """End what carries the mark of a child that was killed: it could not end what it had put in other groups."""
    with anyio.move_on_after(_PATIENCE, shield=True):
        while remains := await living_bearers(_variable(mark)):
            await _kill(remains)


def _path(directory: Path, record: ChildRecord) -> Path:
    return directory / f"{record.pid}.json"


def _written_down(directory: Path) -> Sequence[tuple[Path, ChildRecord | None]]:
    return [(path, _read(path)) for path in sorted(directory.glob("*.json"))]


def _read(path: Path) -> ChildRecord | None:
    try:
        return ChildRecord(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


async def _end(record: ChildRecord) -> bool:
    found = False
    with anyio.move_on_after(_PATIENCE, shield=True):
        while remains := await _remains(record):
            found = True
            await _kill(remains)
        return found
    raise ProviderError(
        Fault(
            whose=Whose.AGENT,
            code="orphan",
            message=f"{record.program} (process group {record.pid}) of a former run was killed and does not end",
        )
    )


async def _remains(record: ChildRecord) -> list[ProcessStat]:
    """Return what is alive of the child: of its process group, and of what it put in other groups.

    While one process of the group lives, the kernel gives its number to no other. So a leader that is ours vouches
    for all; without it the number may have been another's meanwhile, and each member has to show the mark.
    """
    leader = process_stat(record.pid)
    members = living_members(record.pid)
    if leader is None:
        members = [member for member in members if await carries(member.pid, _variable(record.mark))]
    elif leader.start != record.start:
        members = []
    found = {stat.pid: stat for stat in (*members, *await living_bearers(_variable(record.mark)))}
    return list(found.values())


def _variable(mark: str) -> bytes:
    return f"{MARK}={mark}".encode()


async def _kill(processes: Sequence[ProcessStat]) -> None:
    for process in processes:
        signal_exactly(process)
    for process in processes:
        await wait_exit(process.pid)


def signal_exactly(process: ProcessStat, number: int = signal.SIGKILL) -> None:
    """Send a signal to a process, never to another one under its number; one that is gone is no error."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        # With the descriptor held and the start time the same, the signal cannot reach a successor of that number.
        now = process_stat(process.pid)
        if now is not None and now.start == process.start:
            signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)
