"""The bounded queue before one watcher: what does not fit is merged, then missed, and the watcher learns of it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from relaykit.model import BlockDelta, BlockEnded, Event, Gap
from relaykit.relay.events.weight import weigh
from relaykit.wakeups import AutoResetEvent


class WatchQueue:
    """Holds events for one watcher. ``push`` never waits."""

    def __init__(self, *, agent: str | None, cursor: int, max_events: int, max_bytes: int) -> None:
        """Make an empty queue for the events of one agent or all, for a watcher who has seen up to ``cursor``."""
        self._agent = agent
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._events: deque[Event] = deque()
        self._weight = 0
        self._missed: Counter[str] = Counter()
        self._gaps: deque[Gap] = deque()
        self._given = self._pushed = cursor
        self._wake = AutoResetEvent()
        self._closed = False

    def push(self, event: Event, weight: int) -> None:
        """Put an event at the end."""
        if self._agent is not None and event.agent != self._agent:
            return
        if len(self._events) >= self._max_events or self._weight + weight > self._max_bytes:
            self._relieve(weight)
        self._events.append(event)
        self._weight += weight
        self._pushed = event.cursor or self._pushed
        self._wake.set()

    def close(self) -> None:
        """Nothing more comes; what waits is still given."""
        self._closed = True
        self._wake.set()

    async def next(self) -> Event | Gap | None:
        """Return the next event, the gap before it, or None when the queue is closed and empty."""
        while not (self._events or self._missed or self._gaps):
            if self._closed:
                return None
            await self._wake.wait()
        if self._missed:
            self._note_gaps()
        if self._gaps:
            return self._gaps.popleft()
        event = self._events.popleft()
        self._weight -= weigh(event.what)
        self._given = event.cursor or self._given
        return event

    def _relieve(self, weight: int) -> None:
        """Make room by merging deltas; where that frees less than a quarter, miss everything that waits."""
        self._keep(_merged(self._events))
        if len(self._events) > self._max_events * 3 // 4 or self._weight + weight > self._max_bytes * 3 // 4:
            self._missed.update(event.agent for event in self._events)
            self._keep(())

    def _note_gaps(self) -> None:
        before = next((event.cursor for event in self._events if event.cursor), self._pushed + 1)
        self._gaps.extend(
            Gap(agent=agent, after=self._given, before=before, missed=missed)
            for agent, missed in sorted(self._missed.items())
        )
        self._missed.clear()

    def _keep(self, events: Sequence[Event]) -> None:
        self._events = deque(events)
        self._weight = sum(weigh(event.what) for event in events)


def _merged(events: Iterable[Event]) -> list[Event]:
    """Merge each block's deltas into one; those of a block whose end waits too say nothing that the end does not."""
    ends = {(event.session, event.what.block.id) for event in events if isinstance(event.what, BlockEnded)}
    kept: list[Event] = []
    texts: dict[tuple[str, str, int], tuple[int, list[str]]] = {}
    for event in events:
        if not isinstance(event.what, BlockDelta):
            kept.append(event)
        elif (event.session, event.what.block) not in ends:
            place, parts = texts.setdefault((event.session, event.what.block, event.number), (len(kept), []))
            kept[place : place + 1] = [event]
            parts.append(event.what.text)
    for (_, block, _), (place, parts) in texts.items():
        kept[place] = _with_text(kept[place], BlockDelta(block=block, text="".join(parts)))
    return kept


def _with_text(last: Event, delta: BlockDelta) -> Event:
    """Return the merged delta; its part is that of the last one in it."""
    return Event(agent=last.agent, session=last.session, number=last.number, part=last.part, at=last.at, what=delta)
