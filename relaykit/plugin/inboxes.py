"""The part of a mailbox for agents that no relay runs: each reads its inbox itself, as a person does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from relaykit.model import Agent, InboxItem


class Inboxes(Protocol):
    """Agents with ``reads_inbox``: whoever serves them says how they are with ``note``, under the epoch 0."""

    async def enroll(self, agent: Agent) -> None:
        """Enter such an agent, offline, or what is now known of one.

        Raises:
            RefusedError: A person, or an agent that relays run, has that name.
        """

    async def dismiss(self, agent: str) -> None:
        """Take such an agent out; what waits for it ends ``refused``. NotFoundError."""

    async def unread(self, agent: str, *, after: int = 0, limit: int = 50) -> Sequence[InboxItem]:
        """Return what it has not taken yet, in the order of arrival, from the number ``after`` on; nothing is changed."""
        ...

    async def take(self, agent: str, messages: Collection[str], note: str) -> Sequence[str]:
        """End its deliveries of these messages as acknowledged; return whose there were. NotFoundError."""
        ...

    async def arrived(
        self, after: int | None, recipients: Collection[str], *, limit: int = 500
    ) -> tuple[int, Sequence[InboxItem]]:
        """Return how far this looked, as an arrival number, and what waits for the recipients that came after ``after``.

        None looks at nothing and returns the last number there is. One look costs the same however much there is.
        """
        ...
