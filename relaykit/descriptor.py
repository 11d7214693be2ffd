"""Reads a descriptor as soon as something is there, without telling the event loop of it anew each time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


class DescriptorReader(Generic[T]):
    """Reads one descriptor for one task at a time.

    On asyncio the loop stays told of the descriptor for as long as somebody keeps reading, and reads it itself: to
    register it for every read, and to wake a task that then reads, costs more than all the rest of a read.

    Args:
        descriptor: A number, or what has one; non-blocking.
        read: Reads it; BlockingIOError where nothing is there yet. Whatever else it raises is raised by ``next``.
    """

    def __init__(self, descriptor: int, read: Callable[[], T]) -> None:
        self._descriptor = descriptor
        self._read = read
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiter: asyncio.Future[T] | None = None
        self._left: deque[T] = deque()

    async def next(self) -> T:
        """Return what there is to read, once there is something."""
        import asyncio  # noqa: PLC0415 - a command line that only rings a bell pays for no event loop

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return await self._wait_and_read()
        if self._left:
            return self._left.popleft()
        if self._loop is None:
            loop.add_reader(self._descriptor, self._take)
            self._loop = loop
        waiter = self._waiter = loop.create_future()
        try:
            result: T = await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._left.append(waiter.result())  # it came in the moment in which nobody wanted it any more
            raise
        finally:
            self._waiter = None
        return result

    def stop(self, why: Exception) -> None:
        """Read no more; to be called before the descriptor is closed. Who waits gets the exception."""
        self._forget()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(why)

    async def _wait_and_read(self) -> T:
        import anyio  # noqa: PLC0415 - as above

        while True:
            await anyio.wait_readable(self._descriptor)
            try:
                return self._read()
            except BlockingIOError:
                continue

    def _take(self) -> None:
        waiter = self._waiter
        if waiter is None or waiter.done():
            self._forget()  # what is there stays there until somebody wants it
            return
        try:
            waiter.set_result(self._read())
        except BlockingIOError:
            return
        except Exception as error:  # noqa: BLE001 - it is the reader's
            waiter.set_exception(error)

    def _forget(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self._descriptor)
            self._loop = None
