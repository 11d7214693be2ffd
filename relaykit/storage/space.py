"""Pages of a file that hold nothing any more, and giving them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import Connection


def free_pages(db: Connection) -> int:
    """Return how many pages of the file hold nothing."""
    count: int = db.execute("PRAGMA freelist_count").fetchone()[0]
    return count


def give_back(db: Connection, pages: int) -> None:
    """Give at most so many of them back: the file is shorter once that is committed."""
    for _ in range(min(pages, free_pages(db))):
        # One at a time: the pragma frees a page with every step, and ``execute`` takes one step whatever its number.
        db.execute("PRAGMA incremental_vacuum(1)")
