"""Waiting for a change that may concern someone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relaykit.plugin import Watch


async def concerned(watch: Watch, name: str) -> None:
    """Return at the next change of the mailbox that may concern that agent or person."""
    while (named := await watch.wait()) is not None and name not in named:
        pass
