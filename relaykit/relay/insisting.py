"""Trying again for as long as a store cannot be used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from relaykit.errors import StoreError
from relaykit.plugin import Clock

T = TypeVar("T")
_AGAIN_SECONDS = 1.0


async def insist(operation: Callable[[], Awaitable[T]], clock: Clock, report: Callable[[str], None]) -> T:
    """Return what the operation does, once the store takes it; each vain try is reported."""
    while True:
        try:
            return await operation()
        except StoreError as error:
            report(f"{error}; trying again")
            await clock.sleep(_AGAIN_SECONDS)


def unless(over: Callable[[], bool], operation: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T | None]]:
    """Return the operation, which does nothing any more once that is so: who insists on it then has done."""

    async def once() -> T | None:
        return None if over() else await operation()

    return once
