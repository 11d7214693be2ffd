"""Cancellations that nobody ordered: what a plugin waited for was cancelled, and it did not look."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import anyio


@contextmanager
def ordered_only() -> Iterator[None]:
    """While the context lasts, a cancellation that comes out of a plugin's code, and of no scope, is its mistake.

    Let through, it would end the task that called the plugin, and with it the relay, as if that had been ordered.

    Raises:
        RuntimeError: In place of such a cancellation.
    """
    try:
        yield
    except anyio.get_cancelled_exc_class() as error:
        if anyio.current_effective_deadline() == -math.inf:
            raise
        raise RuntimeError("a cancellation that nobody ordered: what it waited for was cancelled") from error
