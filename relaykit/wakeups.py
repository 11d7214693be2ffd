"""Waking one task, on either event loop: less than half of what an event for many waiters costs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol


class Future(Protocol):
    """What one task waits for once."""

    def done(self) -> bool:
        """Whether waking it again would be an error."""
        ...

    def set_result(self, result: None, /) -> None:
        """Wake it."""

    def __await__(self) -> Generator[Any, Any, None]:
        """Wait."""
        ...


def future_maker() -> Callable[[], Future]:
    """Return what makes futures of the running event loop."""
    import asyncio  # noqa: PLC0415 - a plugin that is only looked at pays for no event loop

    try:
        return asyncio.get_running_loop().create_future
    except RuntimeError:
        import trio  # noqa: PLC0415 - it is the loop that runs, so it is imported already

        return lambda: _TrioFuture(trio.Event())


class AutoResetEvent:
    """Set by anyone and waited for by one task, whose wait resets it: what was set while nobody waited is kept."""

    __slots__ = ("_make", "_set", "_waiter")

    def __init__(self) -> None:
        self._set = False
        self._waiter: Future | None = None
        self._make: Callable[[], Future] | None = None

    def set(self) -> None:
        """Have the next wait return, or the one that is under way."""
        self._set = True
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def is_set(self) -> bool:
        """Whether the next wait returns at once."""
        return self._set

    def clear(self) -> None:
        """Forget that it was set."""
        self._set = False

    async def wait(self) -> None:
        """Return once it is set, at once where it is; a wait that is cancelled leaves it as it is.

        RuntimeError where another task waits: only one would be told.
        """
        if self._waiter is not None:
            raise RuntimeError("another task waits for this event already")
        while not self._set:
            self._make = self._make or future_maker()
            self._waiter = self._make()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._set = False


class _TrioFuture:
    def __init__(self, event: _Event) -> None:
        self._event = event

    def done(self) -> bool:
        return False

    def set_result(self, _result: None, /) -> None:
        self._event.set()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._event.wait().__await__()


class _Event(Protocol):
    def set(self) -> None: ...
    def wait(self) -> Coroutine[Any, Any, None]: ...
