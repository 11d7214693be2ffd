"""Removing what is old, a little at a time, and giving its space back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sqlite3 import Connection

from relaykit.sessions.rows import ROW_BYTES
from relaykit.storage.space import free_pages, give_back

_BATCH_BYTES = 16 * 2**20
"""Of events in one batch: how long the writer is held up depends on it more than on their number."""
_PAGES = 256
"""Free pages given back with each batch beyond those that it freed itself."""

Removal = tuple[int, int, int]
"""Cursor, agent and size of an event."""


def sweep(db: Connection, *, before: float, max_bytes: int, limit: int) -> int:
    """Remove at most ``limit`` events that are too old or, once none is, too much; return how many."""
    free = free_pages(db)
    removed = _remove(db, _too_old(db, before, limit)) or _remove(db, _too_much(db, max_bytes, limit))
    if removed:
        # The text of a block that was cut off stays as long as anything of its session.
        db.execute(
            "DELETE FROM partials WHERE NOT EXISTS (SELECT 1 FROM events WHERE events.session = partials.session)"
        )
    give_back(db, max(free_pages(db) - free, 0) + _PAGES)
    return removed


def _too_old(db: Connection, before: float, limit: int) -> list[Removal]:
    return db.execute(
        "SELECT cursor, agent, ? + length(CAST(data AS BLOB)) FROM events WHERE at < ? ORDER BY at LIMIT ?",
        (ROW_BYTES, before, limit),
    ).fetchall()


def _too_much(db: Connection, max_bytes: int, limit: int) -> Iterator[Removal]:
    """Yield the oldest events of an agent that has too much, until they make up for it."""
    row = db.execute("SELECT key, bytes - ? FROM agents WHERE bytes > ? LIMIT 1", (max_bytes, max_bytes)).fetchone()
    agent, surplus = row or (None, 0)
    for removal in db.execute(
        "SELECT cursor, agent, ? + length(CAST(data AS BLOB)) FROM events WHERE agent = ? ORDER BY cursor LIMIT ?",
        (ROW_BYTES, agent, limit),
    ).fetchall():
        if surplus <= 0:
            return
        surplus -= removal[2]
        yield removal


def _remove(db: Connection, removals: Iterable[Removal]) -> int:
    removed = freed = 0
    for cursor, agent, size in removals:
        db.execute("DELETE FROM events WHERE cursor = ?", (cursor,))
        db.execute("UPDATE agents SET bytes = bytes - ? WHERE key = ?", (size, agent))
        removed += 1
        freed += size
        if freed >= _BATCH_BYTES:
            break
    return removed
