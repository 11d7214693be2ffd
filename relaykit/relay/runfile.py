"""A file about each running relay, readable by its owner alone: who it is, what it runs and carries, where it listens."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict, replace

from relaykit.relay.children.proc import process_stat
from relaykit.relay.directories import private_directory


class RunInfo(Struct, frozen=True, kw_only=True):
    """What the file of a relay says. Pid and start together are one process of a boot for ever."""

    pid: int
    start: int
    """Clock ticks since the machine's boot."""
    boot: str
    incarnation: str
    agents: tuple[str, ...]
    started_at: float
    """Wall-clock seconds."""
    transports: tuple[str, ...] = ()
    """Those through which it carries messages out."""
    url: str | None = None
    """Where it listens; None while it does not."""


class RunFile:
    """The file of this relay."""

    def __init__(self, path: Path, info: RunInfo) -> None:
        self._path = path
        self._info = info

    def note_url(self, url: str) -> None:
        """Say where the relay listens."""
        self._info = replace(self._info, url=url)
        self.write()

    def write(self) -> None:
        """Write all of it, in one step: a reader sees the old or the new."""
        half = self._path.with_suffix(".new")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
            json.dump(asdict(self._info), file)
        half.rename(self._path)


@contextmanager
def run_file(
    home: Path, *, incarnation: str, agents: Sequence[str], boot: str, now: float, transports: Sequence[str] = ()
) -> Iterator[RunFile]:
    """Keep the file of this process while the context is open; files of relays that were killed are removed."""
    directory = private_directory(_directory(home))
    _remove_stale(directory, boot)
    pid = os.getpid()
    stat = process_stat(pid)
    info = RunInfo(
        pid=pid,
        start=stat.start if stat else 0,
        boot=boot,
        incarnation=incarnation,
        agents=tuple(agents),
        transports=tuple(transports),
        started_at=now,
    )
    # One process may run several relays, in tests and in programs that embed them.
    path = directory / f"relay-{pid}-{incarnation[:8]}.json"
    file = RunFile(path, info)
    file.write()
    try:
        yield file
    finally:
        path.unlink(missing_ok=True)


def running(home: Path, boot: str) -> Sequence[RunInfo]:
    """Return what the files of living relays say; one whose process is gone, or is another by now, is left out."""
    found = [_read(path) for path in sorted(_directory(home).glob("*.json"))]
    return [info for info in found if info is not None and _lives(info, boot)]


def _directory(home: Path) -> Path:
    return home / "relays"


def _remove_stale(directory: Path, boot: str) -> None:
    for path in directory.glob("*.json"):
        info = _read(path)
        if info is None or not _lives(info, boot):
            path.unlink(missing_ok=True)


def _read(path: Path) -> RunInfo | None:
    try:
        found = json.loads(path.read_bytes())
        return RunInfo(**{**found, "agents": tuple(found["agents"]), "transports": tuple(found.get("transports", ()))})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _lives(info: RunInfo, boot: str) -> bool:
    stat = process_stat(info.pid)
    return info.boot == boot and stat is not None and stat.alive and stat.start == info.start
