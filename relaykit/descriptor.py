"""Reads a descriptor as soon as something is there, without telling the event loop of it anew each time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

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
        self._waiter: asyncio.Future[Any] | None = None
        self._take: Callable[[T], bool] | None = None
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
        waiter = self._wait_in(loop)
        try:
            result: T = await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._left.append(waiter.result())  # it came in the moment in which nobody wanted it any more
            raise
        finally:
            self._waiter = None
        return result

    async def feed(self, take: Callable[[T], bool]) -> None:
        """Call a function with all that is read, at once and without waking a task, until it returns False.

        It must not wait. What it raises is raised here.
        """
        import asyncio  # noqa: PLC0415 - as above

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            while take(await self._wait_and_read()):
                pass
            return
        while self._left:
            if not take(self._left.popleft()):
                return
        self._take = take
        try:
            await self._wait_in(loop)
        finally:
            self._waiter = self._take = None
            self._forget()

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

    def _wait_in(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[Any]:
        if self._loop is None:
            loop.add_reader(self._descriptor, self._ready)
            self._loop = loop
        self._waiter = loop.create_future()
        return self._waiter

    def _ready(self) -> None:
        waiter = self._waiter
        if waiter is None or waiter.done():
            self._forget()  # what is there stays there until somebody wants it
            return
        try:
            found = self._read()
        except BlockingIOError:
            return
        except Exception as error:  # noqa: BLE001 - it is the reader's
            waiter.set_exception(error)
        else:
            self._pass_on(found, waiter)

    def _pass_on(self, found: T, waiter: asyncio.Future[Any]) -> None:
        try:
            if self._take is None or not self._take(found):
                waiter.set_result(found)
        except Exception as error:  # noqa: BLE001 - it is the function's, and raised to who feeds it
            waiter.set_exception(error)

    def _forget(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self._descriptor)
            self._loop = None
