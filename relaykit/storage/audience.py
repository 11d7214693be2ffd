"""Who has to look at a store once an operation has written to it."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Audience(IntEnum):
    """Of several operations in one transaction the largest counts."""

    NOBODY = 0
    """Nobody: it only reads, so it neither waits for who writes nor keeps anyone from it."""
    OTHERS = 1
    """Whoever watches in another process: in this one nobody waits for it."""
    NAMED = 2
    """Those whom the transaction names. Whoever only watches is woken, too."""
    ALL = 3


def told(audience: Audience) -> Callable[[F], F]:
    """Say of an operation who has to look after it; where nothing is said, all have to."""

    def say(operation: F) -> F:
        operation.__dict__["audience"] = audience
        return operation

    return say


def audience_of(operation: Callable[..., object]) -> Audience:
    """Return who has to look after an operation."""
    audience: Audience = getattr(operation, "audience", Audience.ALL)
    return audience
