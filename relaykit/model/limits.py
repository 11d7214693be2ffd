"""How much may wait."""

from __future__ import annotations

from relaykit.model.record import Record


class Limits(Record, frozen=True, kw_only=True):
    """Bounds that keep one sender from filling everything."""

    queued: int = 1000
    """Messages that wait for one recipient."""
    queued_bytes: int = 64 * 2**20
    message_bytes: int = 2**20
    hops: int = 16
    """Length of a chain of causes."""
    thread_automatic: int = 20
    """Automatic messages of one thread that has a foreign member, per hour."""
