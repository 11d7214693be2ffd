"""The feed of the streams: looks once for all of them, and encodes each message once."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

from relaykit.errors import StoreError
from relaykit_signaldock.dock import shapes
from relaykit_signaldock.dock.records import PLAIN

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from relaykit.model import InboxItem
    from relaykit.plugin import Clock, Mailbox
    from relaykit_signaldock.dock.store import Store

_MOST_BYTES = 2**20
"""That wait for one stream: whoever reads more slowly is hung up on, and gets the rest when it comes again."""
_AGAIN_SECONDS = 1.0


class Follower:
    """One stream's place in the feed."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._rung = anyio.Event()
        self.ended = anyio.Event()
        """Set when the stream has to end: it is too slow, or the dock stops."""

    def push(self, number: int, frame: bytes) -> None:
        """Have a frame wait for the stream."""
        self._bytes += len(frame)
        if self._bytes > _MOST_BYTES:
            self.ended.set()
            return
        self._waiting.append((number, frame))
        self._rung.set()

    async def next(self, after: int) -> bytes:
        """Return all that waits, but what came before a number: that was sent already."""
        await self._rung.wait()
        self._rung = anyio.Event()
        frames = b"".join(frame for number, frame in self._waiting if number > after)
        self._waiting.clear()
        self._bytes = 0
        return frames


class Feed:
    """Brings what arrives to the streams of whom it is for."""

    def __init__(self, mailbox: Mailbox, store: Store, clock: Clock, report: Callable[[str], None]) -> None:
        self._mailbox = mailbox
        self._store = store
        self._clock = clock
        self._report = report
        self._followers: defaultdict[str, set[Follower]] = defaultdict(set)

    @contextmanager
    def follow(self, agent: str) -> Iterator[Follower]:
        """Follow what arrives for an agent from now on."""
        follower = Follower()
        self._followers[agent].add(follower)
        try:
            yield follower
        finally:
            self._followers[agent].discard(follower)
            if not self._followers[agent]:
                del self._followers[agent]

    @property
    def streams(self) -> int:
        """How many streams there are."""
        return sum(map(len, self._followers.values()))

    def streaming(self, agent: str) -> int:
        """How many streams an agent has."""
        return len(self._followers.get(agent, ()))

    def close(self) -> None:
        """End every stream."""
        for followers in self._followers.values():
            for follower in followers:
                follower.ended.set()

    async def run(self, number: int) -> None:
        """Bring for ever what arrives after a number, which was the last one before any stream began."""
        async with self._mailbox.watch() as watch:
            while True:
                try:
                    number = await self._bring(number)
                except StoreError as error:
                    self._report(f"the streams wait: {error}")
                    await self._clock.sleep(_AGAIN_SECONDS)
                    continue
                await watch.wait()

    async def _bring(self, number: int) -> int:
        while True:
            asked = list(self._followers)
            last, items = await self._mailbox.arrived(number, asked)
            self._push(items)
            await self._make_up(number, last, self._followers.keys() - set(asked))
            if not items:
                return last
            number = last

    async def _make_up(self, after: int, last: int, agents: Collection[str]) -> None:
        """Bring what came up to a number for those who began to follow while others were asked for.

        Their replay may have read the mailbox before it came, and it is not asked for again.
        """
        while agents and after < last:
            after, items = await self._mailbox.arrived(after, list(agents))
            self._push([item for item in items if item.delivery.id <= last])

    def _push(self, items: Sequence[InboxItem]) -> None:
        for item, frame in zip(items, self.frames(items), strict=True):
            for follower in self._followers.get(item.delivery.recipient, ()):
                follower.push(item.delivery.id, frame)

    def frames(self, items: Sequence[InboxItem]) -> list[bytes]:
        """Return messages as the stream sends them."""
        said = self._store.annotations([item.message.id for item in items]) if items else {}
        return [_frame(item, said) for item in items]


def _frame(item: InboxItem, said: shapes.Annotations) -> bytes:
    shape = shapes.message(item.message, delivery=item.delivery, said=said.get(item.message.id, PLAIN))
    return event("message", shapes.union(shape), item.message.id)


def event(name: str, data: object, id: str | None = None) -> bytes:
    """Return an event of a stream."""
    first = "" if id is None else f"id: {id}\n"
    return f"{first}event: {name}\ndata: {json.dumps(data)}\n\n".encode()
