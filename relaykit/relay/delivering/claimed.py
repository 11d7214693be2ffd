"""The mailbox as the holder of a claim uses it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

from relaykit.errors import StoreError
from relaykit.model import (
    Agent,
    Command,
    CommandState,
    Decision,
    Draft,
    Lease,
    LeasedDelivery,
    Noted,
    PermissionRequest,
    Question,
    Report,
    State,
    Status,
    Wish,
)
from relaykit.plugin import Clock, Joining, Mailbox, Waiting
from relaykit.relay.delivering.attached import AttachedFiles

T = TypeVar("T")
How = tuple[Status, int | None, str | None]
"""How an agent is, the process that its session runs in, and the session."""
_FIRST_DELAY = 0.2
_LONGEST_DELAY = 10.0


class ClaimedMailbox:
    """Fills in agent, owner and epoch, and keeps trying while the store cannot be used.

    A worker that waits here leases nothing and loses nothing; ``failing`` says why, for the status.
    """

    def __init__(
        self, mailbox: Mailbox, clock: Clock, attached: AttachedFiles, *, agent: str, owner: str, epoch: int
    ) -> None:
        self._mailbox = mailbox
        self._clock = clock
        self.attached = attached
        """Fetches the files that its messages name."""
        self.agent = agent
        self.owner = owner
        self.epoch = epoch
        self.failing: StoreError | None = None

    async def describe(self, agent: Agent) -> None:
        """Enter what is now known of the agent."""
        await self._kept(lambda: self._mailbox.describe(agent, self.epoch))

    async def waiting(self) -> Waiting:
        """Return what waits for the agent now."""
        found = await self._kept(lambda: self._mailbox.waiting([self.agent]))
        return found.get(self.agent, Waiting())

    async def lease(self, submission: str, session: str, joining: Joining | None = None) -> LeasedDelivery | None:
        """Lease the next delivery, recorded under that submission id."""
        return await self._kept(
            lambda: self._mailbox.lease(
                self.agent,
                owner=self.owner,
                epoch=self.epoch,
                submission=submission,
                session=session,
                joining=joining,
            )
        )

    async def leased(self, delivery: int) -> LeasedDelivery:
        """Return a delivery as it is now."""
        return await self._kept(lambda: self._mailbox.leased(delivery))

    async def relet(self, lease: Lease, submission: str, session: str, note: str, *, anew: bool) -> LeasedDelivery:
        """Take a new attempt at a delivery that is held."""
        relet = self._mailbox.relet
        return await self._kept(lambda: relet(lease, submission=submission, session=session, note=note, anew=anew))

    async def forgive(self, lease: Lease) -> LeasedDelivery:
        """Take back the death that the claim counted."""
        return await self._kept(lambda: self._mailbox.forgive(lease))

    async def note(self, steps: Sequence[Noted], how: How | None) -> None:
        """Record steps of deliveries, and how the agent is."""
        await self._kept(lambda: self._mailbox.note(steps, self._report(how)))

    async def release(self, lease: Lease, reason: str) -> None:
        """Queue it again."""
        await self._kept(lambda: self._mailbox.release(lease, reason))

    async def wish(self, lease: Lease, wish: Wish) -> None:
        """Record why its turn is asked to end."""
        await self._kept(lambda: self._mailbox.wish(lease, wish))

    async def settle(
        self,
        leases: Sequence[Lease],
        state: State,
        reason: str,
        *,
        reply: Draft | None = None,
        partial: str = "",
        noted: Sequence[Noted] = (),
        how: How | None = None,
        synced: bool = False,
    ) -> bool:
        """End deliveries together with their one reply, or their notices; return whether more may wait."""
        report = self._report(how)
        return await self._kept(
            lambda: self._mailbox.settle(
                leases, state, reason, reply=reply, partial=partial, noted=noted, report=report, synced=synced
            )
        )

    async def follow_up(self, delivery: int, id: str, text: str) -> None:
        """Put what a turn that nobody asked for said to whoever asked for what caused it."""
        await self._kept(lambda: self._mailbox.follow_up(delivery, id, text))

    async def ask(self, session: str, question: Question, expires_in: float) -> PermissionRequest:
        """Store a permission request."""
        return await self._kept(
            lambda: self._mailbox.ask(self.agent, self.epoch, session, question, expires_in=expires_in)
        )

    async def decide(self, request: str, decision: Decision, by: str, reason: str = "") -> PermissionRequest:
        """Decide a request by policy."""
        return await self._kept(lambda: self._mailbox.decide(request, decision, by=by, reason=reason))

    async def decided(self) -> Sequence[PermissionRequest]:
        """Return the decisions of which the session was not told yet."""
        return await self._kept(lambda: self._mailbox.decided(self.agent, self.epoch))

    async def applied(self, request: str) -> None:
        """Record that the session was told."""
        await self._kept(lambda: self._mailbox.applied(request))

    async def open_requests(self, session: str) -> Sequence[PermissionRequest]:
        """Return the open permission requests of a provider session."""
        return [one for one in await self._kept(self._mailbox.permissions) if one.session == session]

    async def withdraw(self, session: str, keys: Collection[str] | None, reason: str) -> None:
        """Close open requests of a provider session."""
        await self._kept(lambda: self._mailbox.withdraw(session, keys, reason))

    async def orders(self) -> Sequence[Command]:
        """Return the commands that wait to be taken."""
        return await self._kept(lambda: self._mailbox.orders(self.agent, self.epoch))

    async def advance(self, command: str, state: CommandState, result: str = "") -> None:
        """Move a command on."""
        await self._kept(lambda: self._mailbox.advance(command, state, result))

    def _report(self, how: How | None) -> Report | None:
        if how is None:
            return None
        status, pid, session = how
        return Report(agent=self.agent, epoch=self.epoch, status=status, pid=pid, session=session)

    async def _kept(self, operation: Callable[[], Awaitable[T]]) -> T:
        delay = _FIRST_DELAY
        while True:
            try:
                result = await operation()
            except StoreError as error:
                self.failing = error
                await self._clock.sleep(delay)
                delay = min(delay * 2, _LONGEST_DELAY)
            else:
                self.failing = None
                return result
