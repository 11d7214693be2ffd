"""The fan-out: shows events to every watcher, and lets none of them slow down what is watched."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial

import anyio
from anyio.abc import TaskStatus

from relaykit.model import BlockDelta, Event, Gap
from relaykit.plugin import SessionStore, StatusSink
from relaykit.relay.cancellations import ordered_only
from relaykit.relay.events.watchqueue import WatchQueue
from relaykit.relay.events.weight import weigh

_PAGE = 500

Snapshot = Callable[[], list[Event]]


class Fanout:
    """Gives every published event to every subscriber that wants its agent's."""

    def __init__(self, store: SessionStore, *, max_events: int = 1024, max_bytes: int = 8 * 2**20) -> None:
        """Make a fan-out without subscribers.

        Args:
            store: Where subscribers that come late get what they missed.
            max_events: Events that wait for one subscriber; it misses what would be more.
            max_bytes: About how many bytes they may hold.
        """
        self._store = store
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._queues: dict[int, WatchQueue] = {}
        self._sources: dict[int, tuple[str, Snapshot]] = {}
        self._next_key = 0
        self._closed = False
        self._sinks: set[anyio.Event] = set()
        self.in_order = anyio.Lock(fast_acquire=True)
        """Held from before events are stored until they are published, so that cursors are published in order."""

    def publish(self, events: Sequence[Event]) -> None:
        """Give the events to all subscribers. Never waits."""
        if not self._queues:
            return
        weights = [weigh(event.what) for event in events]
        for queue in self._queues.values():
            for event, weight in zip(events, weights, strict=True):
                queue.push(event, weight)

    def close(self) -> None:
        """Let every subscription end, once its subscriber has taken what waits; later ones end after their replay."""
        self._closed = True
        for queue in self._queues.values():
            queue.close()

    async def finish(self, seconds: float = 2.0) -> None:
        """Close, and wait until the sinks have taken what waits, but not for longer than that."""
        self.close()
        with anyio.move_on_after(seconds):
            for ended in list(self._sinks):
                await ended.wait()

    @contextmanager
    def feeding(self) -> Iterator[None]:
        """While the context lasts, ``finish`` waits for it."""
        ended = anyio.Event()
        self._sinks.add(ended)
        try:
            yield
        finally:
            self._sinks.discard(ended)
            ended.set()

    @contextmanager
    def source(self, agent: str, snapshot: Snapshot) -> Iterator[None]:
        """While the context lasts, ask ``snapshot`` for the agent's unfinished blocks whenever someone subscribes."""
        key = self._key()
        self._sources[key] = (agent, snapshot)
        try:
            yield
        finally:
            del self._sources[key]

    @asynccontextmanager
    async def subscribe(self, *, agent: str | None = None, after: int | None = None) -> AsyncIterator[Subscription]:
        """Watch one agent or all.

        Without ``after`` it begins with the blocks that are being written, each with its start and its text so
        far, and goes on with what happens from now on. With ``after`` it begins with what the store has after
        that cursor, then come the texts so far. Either way a block's deltas together are its whole text, and
        nothing is lost or told twice where the beginning ends. Events that did not fit are replaced by a Gap.
        """
        key = self._key()
        # Whoever holds the lock sees everything published that is stored: what comes later goes to the queue.
        async with self.in_order:
            cursor = await self._store.last_cursor()
            queue = WatchQueue(agent=agent, cursor=cursor, max_events=self._max_events, max_bytes=self._max_bytes)
            open_blocks = self._snapshot(agent)
            self._queues[key] = queue
            if self._closed:
                queue.close()
        try:
            if after is None:
                yield Subscription(queue, begin=open_blocks)
            else:
                read = partial(self._store.events, agent=agent, limit=_PAGE)
                deltas = [event for event in open_blocks if isinstance(event.what, BlockDelta)]
                yield Subscription(queue, begin=deltas, replay=Replay(read, after, cursor))
        finally:
            del self._queues[key]

    def _snapshot(self, agent: str | None) -> list[Event]:
        return [event for owner, snapshot in self._sources.values() if agent in {None, owner} for event in snapshot()]

    def _key(self) -> int:
        self._next_key += 1
        return self._next_key


class Replay:
    """Reads what the store has between two cursors, page by page."""

    def __init__(self, read: Callable[..., Awaitable[Sequence[Event]]], after: int, until: int) -> None:
        self._read = read
        self._after = after
        self._until = until

    async def page(self) -> list[Event]:
        """Return the next events; none when everything was read."""
        if self._after >= self._until:
            return []
        page = [event for event in await self._read(after=self._after) if event.cursor <= self._until]
        self._after = page[-1].cursor if page else self._until
        return page


class Subscription:
    """The events of one subscriber, to be iterated over by one task. Ends when the fan-out closes."""

    def __init__(self, queue: WatchQueue, *, begin: Sequence[Event], replay: Replay | None = None) -> None:
        self._queue = queue
        self._begin = begin
        self._replay = replay
        self._early: deque[Event] = deque(() if replay else begin)

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Event | Gap:
        """Return the next event, or the gap in its place."""
        if self._replay and not self._early:
            await self._go_on(self._replay)
        if self._early:
            return self._early.popleft()
        item = await self._queue.next()
        if item is None:
            raise StopAsyncIteration
        return item

    async def _go_on(self, replay: Replay) -> None:
        page = await replay.page()
        if not page:
            self._replay = None
        self._early.extend(page or self._begin)


async def feed(
    fanout: Fanout,
    name: str,
    opened: AbstractAsyncContextManager[StatusSink],
    failed: Callable[[str, Exception], None],
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Tell one sink everything until the fan-out closes; to be started in a task of its own.

    What the sink raises while it opens comes out of ``TaskGroup.start``. What it raises later closes it, and is
    handed to ``failed`` with the sink's name; nobody else notices.
    """
    is_open = False
    try:
        with fanout.feeding():
            async with opened as sink, fanout.subscribe() as items:
                is_open = True
                task_status.started()
                async for item in items:
                    with ordered_only():
                        await sink.tell(item)
    except Exception as error:
        if not is_open:
            raise
        failed(name, error)
