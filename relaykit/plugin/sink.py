"""Status sinks: they are told what happens, and never slow it down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from relaykit.model import Event, Gap


class StatusSink(Protocol):
    """Is told of events and status changes.

    Each sink has a bounded queue and a task of its own: one that is slow gets a ``Gap`` in place of what it
    missed, one that raises is closed and reported; neither is noticed by the agents.
    """

    async def tell(self, item: Event | Gap) -> None:
        """Take in one event, or learn that some were missed. Called for one item at a time, in order."""
