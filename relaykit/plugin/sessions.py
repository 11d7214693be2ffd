"""Session stores: they keep what sessions did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from relaykit.model import Event, SessionRecord


class SessionStore(Protocol):
    """Keeps the durable events of every session, in order, each under a cursor of its own."""

    async def begin(self, record: SessionRecord) -> SessionRecord:
        """Store a session, or find it: what is returned has the number of its last event."""
        ...

    async def end(self, session: str, at: float) -> None:
        """Note that a session was closed; it may begin again."""

    async def sessions(self, agent: str | None = None) -> Sequence[SessionRecord]:
        """Return the sessions, of one agent or all, the latest first."""
        ...

    async def append(self, events: Sequence[Event], partials: Sequence[tuple[str, str, str]] = ()) -> Sequence[int]:
        """Store durable events in one transaction; return their cursors. Deltas are not stored.

        Args:
            events: In order; numbers of one session count up by one from its last. An event whose number is
                stored already is a second writer's: StoreError, and nothing of the batch is kept.
            partials: Session, block and the text so far of blocks that are still being written; kept until the
                block's end.
        """
        ...

    async def events(
        self, *, agent: str | None = None, session: str | None = None, after: int = 0, limit: int = 1000
    ) -> Sequence[Event]:
        """Return durable events with a cursor greater than ``after``, oldest first."""
        ...

    async def partials(self, session: str) -> dict[str, str]:
        """Return the text so far of the session's unfinished blocks, by block id."""
        ...

    async def last_cursor(self) -> int:
        """Return the cursor of the last event; 0 where there is none."""
        ...

    async def sweep(self, *, before: float, max_bytes: int, limit: int = 500) -> int:
        """Remove at most ``limit`` events older than ``before`` or beyond ``max_bytes`` per agent; return how many."""
        ...
