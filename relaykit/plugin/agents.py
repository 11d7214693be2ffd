"""The part of a mailbox for the agents that relays run: the directory, and who runs whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from relaykit.model import Agent, Claim, DirectoryEntry, RelayRecord, Status


class Agents(Protocol):
    """The directory, and who runs whom."""

    async def join(self, relay: RelayRecord) -> None:
        """Enter a running relay."""

    async def beat(self, incarnation: str, boot: str, at: float) -> None:
        """Say that the relay lives: boot id and seconds of the boot clock."""

    async def leave(self, incarnation: str) -> None:
        """Take a relay out that has stopped in good order."""

    async def claim(self, agent: Agent, incarnation: str, *, deaths: bool = True) -> Claim:
        """Enter or update the agent and raise its epoch. Only the holder of its lock calls this.

        Whatever an older epoch had leased is this claim's now, and returned as abandoned: its text may be handed
        over. With ``deaths`` (not after a reboot) each counts one more death, but those with the wish ``stop``:
        their turn was ended in good order. ``counted`` names those.
        Commands and permission requests of older epochs are closed, but an open ``stop`` or ``kill`` of the very
        relay that claims again: it is of the new epoch. How much text its provider takes is kept where the agent
        says nothing of it.

        Raises:
            AlreadyRunError: An agent that reads its inbox itself has that name.
        """
        ...

    async def describe(self, agent: Agent, epoch: int) -> None:
        """Enter what is now known of an agent that is run. LeaseLostError where the epoch is over."""

    async def retire(self, agent: str, epoch: int, status: Status) -> None:
        """The agent is no longer run; its queue stays. Orders to stop or kill it have succeeded."""

    async def agents(self) -> Sequence[DirectoryEntry]:
        """Return the directory, by id. Who said to be idle and holds a delivery is busy with it."""
        ...

    async def relays(self) -> Sequence[RelayRecord]:
        """Return the relays that have entered."""
        ...

    async def release_stale(self, boot: str, before: float, dead: Sequence[str] = ()) -> int:
        """Free what relays leased for ``any:`` and did not hand over, where their last beat is older. Return how many.

        Args:
            boot: This boot: relays of another one are dead.
            before: A beat from before this time of the boot clock is too old.
            dead: Incarnations that are known to be dead, whatever their beat.
        """
        ...
