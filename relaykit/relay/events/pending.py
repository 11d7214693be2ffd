"""What a recorder was offered and has not yet recorded."""

from __future__ import annotations

from collections import deque
from io import StringIO

import anyio
from msgspec import Struct, field

from relaykit.model import BlockDelta, BlockEnded, BlockStarted, Occurrence
from relaykit.relay.events.weight import weigh


class Mark(Struct, eq=False):
    """A place in the queue that someone waits for."""

    reached: anyio.Event = field(default_factory=anyio.Event)
    recorded: bool = False
    """Whether everything before it was recorded, rather than given up."""

    def reach(self) -> None:
        """Tell whoever waits that everything before it was recorded."""
        self.recorded = True
        self.reached.set()


class _Growing(Struct, eq=False):
    """Deltas of one block that were merged. A StringIO, since a list would keep the small strings alive."""

    block: str
    text: StringIO


Entry = tuple[float, Occurrence | Mark]
"""A wall-clock time and what happened then."""


class Pending:
    """A queue that is never full: beyond its limit it merges the deltas of each block, and drops nothing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[tuple[float, Occurrence | Mark | _Growing]] = deque()
        self._growing: dict[str, _Growing] | None = None
        self.weight = 0
        """About how many bytes wait."""

    def __len__(self) -> int:
        return len(self._items)

    def add(self, at: float, what: Occurrence) -> None:
        """Take in one occurrence."""
        if self._growing is not None:
            self._add_merging(self._growing, at, what)
            return
        self._items.append((at, what))
        self.weight += weigh(what)
        if self.weight > self._limit:
            self._merge()

    def mark(self) -> Mark:
        """Mark the present end of the queue."""
        mark = Mark()
        self._items.append((0.0, mark))
        return mark

    def take(self, count: int) -> list[Entry]:
        """Remove and return the first entries, at most ``count``."""
        # What is taken no longer grows; merging begins anew with the next entry that is too much.
        self._growing = None
        taken = [_finished(*self._items.popleft()) for _ in range(min(count, len(self._items)))]
        self.weight = self.weight - sum(_weigh(what) for _, what in taken) if self._items else 0
        return taken

    def _merge(self) -> None:
        items, self._items = self._items, deque()
        self.weight, self._growing = 0, {}
        for at, what in items:
            self._add_merging(self._growing, *_finished(at, what))

    def _add_merging(self, growing: dict[str, _Growing], at: float, what: Occurrence | Mark) -> None:
        if isinstance(what, BlockDelta):
            self._add_delta(growing, at, what)
            return
        if isinstance(what, (BlockStarted, BlockEnded)):
            growing.pop(what.block.id, None)
        self._items.append((at, what))
        self.weight += _weigh(what)

    def _add_delta(self, growing: dict[str, _Growing], at: float, delta: BlockDelta) -> None:
        """Let the block's first delta grow: what stands between it and this one belongs to other blocks."""
        if delta.block not in growing:
            growing[delta.block] = _Growing(delta.block, StringIO())
            self._items.append((at, growing[delta.block]))
            self.weight += weigh(delta)
        else:
            self.weight += len(delta.text)
        growing[delta.block].text.write(delta.text)


def _finished(at: float, what: Occurrence | Mark | _Growing) -> Entry:
    return (at, BlockDelta(block=what.block, text=what.text.getvalue())) if isinstance(what, _Growing) else (at, what)


def _weigh(what: Occurrence | Mark) -> int:
    return 0 if isinstance(what, Mark) else weigh(what)
