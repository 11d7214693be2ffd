"""A queue between two tasks of one event loop that is never full."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from anyio import ClosedResourceError, EndOfStream, WouldBlock

from relaykit.wakeups import AutoResetEvent

T = TypeVar("T")


class Channel(Generic[T]):
    """Items in order, put in by anyone without waiting and taken out by one reader."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
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
        self._changed.set()

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
