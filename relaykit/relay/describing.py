"""What an agent's provider says of itself, in the directory for all to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from relaykit.model import Agent, Capabilities

if TYPE_CHECKING:
    from relaykit.plugin import Provider
    from relaykit.relay.delivering.claimed import ClaimedMailbox

_ENVELOPE = 1024
"""Characters of the line that tells who sent a message; ids of other systems may be long."""


class Description:
    """Keeps an agent's entry to what its provider says: some of it, such as the model, is known or changed later."""

    def __init__(self, agent: Agent, provider: Provider, claimed: ClaimedMailbox) -> None:
        self._agent = agent
        self._provider = provider
        self._claimed = claimed
        self._entered: Capabilities | None = None

    async def refresh(self) -> None:
        """Enter what the provider says now, where that is something else than before."""
        able = self._provider.capabilities
        if able != self._entered:
            await self._claimed.describe(described(self._agent, able))
            self._entered = able


def described(agent: Agent, able: Capabilities) -> Agent:
    """Return an agent with what its provider says of itself; the line that tells who sent a message needs room, too."""
    room = _ENVELOPE if able.envelope else 0
    return replace(agent, able=able, max_text=None if able.max_text is None else max(0, able.max_text - room))
