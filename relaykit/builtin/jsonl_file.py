"""What is in a ``jsonl`` sink's file, and how it gets there."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from relaykit.errors import ConfigError
from relaykit.model import BlockDelta, Event, Gap, to_json

if TYPE_CHECKING:
    from relaykit.plugin import Clock, Context


class JsonlFile:
    """A file that lines are appended to. What was appended survives the death of the process."""

    def __init__(self, path: Path, *, max_bytes: int | None, keep: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._descriptor = _open_file(path)
        self._size = os.fstat(self._descriptor).st_size
        self._end_broken_line()

    def append(self, line: bytes) -> None:
        """Append a line; in a new file where this one would grow too large. OSError."""
        if self._max_bytes is not None and 0 < self._size > self._max_bytes - len(line):
            self._rotate()
        self._size += len(line)
        while line:
            line = line[os.write(self._descriptor, line) :]

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _end_broken_line(self) -> None:
        """Keep half a line, which a full disk may have left, from spoiling the next one."""
        if self._size and os.pread(self._descriptor, 1, self._size - 1) != b"\n":
            self.append(b"\n")

    def _rotate(self) -> None:
        for number in range(self._keep - 1, 0, -1):
            if self._old(number).exists():
                self._old(number).replace(self._old(number + 1))
        self._path.replace(self._old(1))
        old, self._descriptor, self._size = self._descriptor, _open_file(self._path), 0
        os.close(old)

    def _old(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


class JsonlSink:
    """Appends events to a file."""

    def __init__(self, file: JsonlFile, clock: Clock, *, deltas: bool) -> None:
        self._file = file
        self._clock = clock
        self._deltas = deltas

    async def tell(self, item: Event | Gap) -> None:
        """Append one line; it is in the file when this returns."""
        if self._deltas or not (isinstance(item, Event) and isinstance(item.what, BlockDelta)):
            # A disk that hangs must not stop the event loop.
            await anyio.to_thread.run_sync(self._file.append, self._line(item))

    def _line(self, item: Event | Gap) -> bytes:
        values = {**_gap(item), "at": self._clock.now()} if isinstance(item, Gap) else _event(item)
        return json.dumps(values, separators=(",", ":"), default=str).encode("ascii") + b"\n"


@asynccontextmanager
async def open_jsonl(
    path: str, context: Context, *, deltas: bool, max_bytes: int | None, keep: int
) -> AsyncIterator[JsonlSink]:
    """Open the file and yield a sink. ConfigError where that cannot be done."""
    file = _open_place(path, context.name, max_bytes=max_bytes, keep=keep)
    try:
        yield JsonlSink(file, context.clock, deltas=deltas)
    finally:
        file.close()


def check_place(path: str) -> str:
    """Return in words that the file can be written; ConfigError where it cannot. Nothing is made."""
    try:
        place = Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise ConfigError(f"path: {path}: {error}; name another") from error
    if not place.parent.is_dir():
        raise ConfigError(f"path: {place.parent} does not exist; make it, or name another")
    if place.is_dir() or not os.access(place if place.exists() else place.parent, os.W_OK):
        raise ConfigError(f"path: {place} cannot be written; name another")
    return f"{place} can be written"


def _open_place(path: str, name: str, *, max_bytes: int | None, keep: int) -> JsonlFile:
    place = Path(path)
    try:
        place = place.expanduser().absolute()
        return JsonlFile(place, max_bytes=max_bytes, keep=keep)
    except FileNotFoundError as error:
        raise ConfigError(f"{name}.path: {place.parent} does not exist; make it, or name another") from error
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"{name}.path: {place} cannot be written ({error}); name another") from error


def _open_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _event(event: Event) -> dict[str, Any]:
    values = {"cursor": event.cursor, "agent": event.agent, "session": event.session, "number": event.number}
    part = {"part": event.part} if event.part else {}
    return {**values, **part, "at": event.at, "kind": event.what.kind, "data": to_json(event.what)}


def _gap(gap: Gap) -> dict[str, Any]:
    return {"agent": gap.agent, "kind": "gap", "data": to_json(gap)}
