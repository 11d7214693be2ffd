"""A queue between two tasks of one event loop that is never full."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from anyio import ClosedResourceError, EndOfStream, WouldBlock

from relaykit.wakeups import AutoResetEvent

T = TypeVar("T")


class Channel(Generic[T]):
    """Items in order, put in by anyone without waiting and taken out by one reader."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._take: Callable[[T], None] | None = None
        self._error: Exception | None = None
        self._changed = AutoResetEvent()
        self._closed = False

    def __len__(self) -> int:
        """Return how many nobody has read."""
        return len(self._items)

    def send(self, item: T) -> None:
        """Put it at the end; ClosedResourceError once the channel is closed."""
        if self._closed:
            raise ClosedResourceError
        self._items.append(item)
        if self._take is None:
            self._changed.set()
        else:
            self._give(self._take)

    def close(self) -> None:
        """Take no more; what is in it can still be read."""
        self._closed = True
        self._changed.set()

    def receive_nowait(self) -> T:
        """Return the next item; WouldBlock where there is none, EndOfStream where none will come."""
        if self._items:
            return self._items.popleft()
        raise EndOfStream if self._closed else WouldBlock

    async def receive(self) -> T:
        """Return the next item, at once where there is one; EndOfStream where none will come."""
        while not self._items:
            if self._closed:
                raise EndOfStream
            await self._changed.wait()
        return self._items.popleft()

    async def feed(self, take: Callable[[T], None]) -> None:
        """Call a function with each item at once, where it is put in; return when the channel is closed.

        It must not wait. What it raises is raised here, and not to who put the item in.
        """
        self._take, self._error = take, None
        try:
            self._give(take)
            while not self._closed and self._error is None:
                await self._changed.wait()
        finally:
            self._take = None
        if self._error is not None:
            raise self._error

    def _give(self, take: Callable[[T], None]) -> None:
        try:
            while self._items:
                take(self._items.popleft())
        except Exception as error:  # noqa: BLE001 - it is the reader's
            self._take, self._error = None, error
            self._changed.set()

    def __enter__(self) -> Channel[T]:
        """Close it when the block is left."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def __aiter__(self) -> Channel[T]:
        """Return what gives one item after the other until the channel is closed and empty."""
        return self

    async def __anext__(self) -> T:
        """Return the next item."""
        try:
            return await self.receive()
        except EndOfStream:
            raise StopAsyncIteration from None
