"""Mailboxes: the durable store of messages, deliveries, the directory, commands and permission requests.

Every method is one transaction: when it has returned, what it did survives the death of any process; when it
raises, nothing of it was kept.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from relaykit.plugin.agents import Agents
from relaykit.plugin.conversing import Conversing, Tasks
from relaykit.plugin.inboxes import Inboxes
from relaykit.plugin.orders import Orders, Permissions

if TYPE_CHECKING:
    from relaykit.model import (
        Accepted,
        Delivery,
        Draft,
        InboxItem,
        Lease,
        LeasedDelivery,
        Message,
        Noted,
        Report,
        State,
        Trace,
        Wish,
    )


class Joining(Struct, frozen=True, kw_only=True):
    """The running turn that a message may join: same thread, same reply address."""

    thread: str
    recipient: str


class Waiting(Struct, frozen=True, kw_only=True):
    """What waits for an agent."""

    now: bool = False
    """Something for it alone that interrupts: what is for any of a group waits for the first that is free."""
    next: bool = False
    later: bool = False
    """Something that waits until it is free; what is for any of a group with the priority ``now``, too."""
    commands: bool = False
    decisions: bool = False
    """A permission request of its was decided, and its session was not told yet."""
    wished: bool = False
    """A delivery that its worker holds is to be cancelled (``cancel`` recorded the wish)."""


class Watch(Protocol):
    """Knows when something changed."""

    async def wait(self) -> Collection[str] | None:
        """Return when the mailbox was written to, by any process, since this last returned.

        That a delivery was leased, and what ``note`` records, need not wake the process that did it.

        Returns:
            None, or the only ones whom it concerns: those for whom something was queued, and senders of what ended.
        """
        ...


class Letters(Protocol):
    """Putting messages in, and looking at what became of them."""

    async def put(self, draft: Draft, *, synced: bool = False, waits: float | None = None) -> Accepted:
        """Store a message and one delivery for each recipient.

        Args:
            draft: The same id and body again is the first put; the same id with another body ConflictError.
            synced: Also safe from loss of power when this returns.
            waits: The sender's running delivery waits so many seconds for the answer. Refused where that
                would close a circle of waits.

        Raises:
            RefusedError: A limit, an unknown address, a sender who may not.
        """
        ...

    async def trace(self, message: str) -> Trace:
        """Return all that is known of a message; its id may be cut short where that is plain. NotFoundError."""
        ...

    async def inbox(self, recipient: str, *, ended: bool = False, limit: int = 100) -> Sequence[InboxItem]:
        """Return what waits for a recipient in the order of its queue; with ``ended`` the last ended ones, too."""
        ...

    async def acknowledge(self, deliveries: Collection[int], note: str) -> None:
        """End deliveries as ``acknowledged``: they were shown to a person, or to an agent that waits for the answer.

        Ended ones are passed over, and so are those to agents, but queued answers to what the agent waits for: it
        has them, and needs no turn for them.
        """

    async def cancel(
        self, message: str, *, recipient: str | None = None, interrupt: bool = False
    ) -> Sequence[Delivery]:
        """Cancel a message's deliveries; return them as they are now.

        Queued ones end at once. One that is handed over gets the wish, and ends when its worker saw it through;
        one that was seen is refused unless ``interrupt``.
        """
        ...

    async def requeue(self, message: str, *, recipient: str | None = None) -> Sequence[Delivery]:
        """Queue a message's deliveries that ended otherwise than well once more; they keep their place."""
        ...

    async def edit(self, message: str, body: str, *, recipient: str | None = None) -> Sequence[Delivery]:
        """Give a message's deliveries another text; return them as they are now.

        The message stays as it was put, so that the same draft again is still the first put; the delivery
        carries the new text. One that is not queued any more, or that no one wrote on purpose, is refused, and
        then nothing is changed.
        """
        ...

    async def move(
        self, message: str, *, before: str | None = None, recipient: str | None = None
    ) -> Sequence[Delivery]:
        """Put a message's deliveries right before another's in their queues, or first; return them as they are now.

        It takes the priority of what it stands before: nothing but priority and place orders a queue. The others
        keep their order among each other, and what arrives later comes after all of them. One that is not queued
        any more is refused, and then nothing is changed.
        """
        ...

    async def end_wait(self, message: str) -> None:
        """The sender no longer waits for the answer."""


class Leases(Protocol):
    """A worker's way with deliveries. Every write checks the lease and raises LeaseLostError."""

    async def waiting(self, agents: Collection[str]) -> dict[str, Waiting]:
        """Return what waits for each of the agents; those for whom nothing does are left out."""
        ...

    async def lease(
        self,
        agent: str,
        *,
        owner: str,
        epoch: int,
        submission: str,
        session: str,
        joining: Joining | None = None,
    ) -> LeasedDelivery | None:
        """Lease the next delivery for a hand-over under that submission id, or return None.

        Records attempt, session and submission before any text is handed over. With ``joining`` only a
        ``next`` of that thread and reply address; without, the first by priority and arrival. What has
        expired is ended on the way.
        """
        ...

    async def leased(self, delivery: int) -> LeasedDelivery:
        """Return a delivery with its message and whom it answers. NotFoundError."""
        ...

    async def relet(
        self, lease: Lease, *, submission: str, session: str, note: str, anew: bool = False
    ) -> LeasedDelivery:
        """Take a new attempt at a delivery that is held, under a new submission id.

        ``anew`` says that no turn began with it. Its steps tell that it was queued in between, or else that it was seen.
        """
        ...

    async def forgive(self, lease: Lease) -> LeasedDelivery:
        """Take back the death that the claim counted: the text had not been handed over to the process that died."""
        ...

    async def note(self, steps: Sequence[Noted], report: Report | None = None) -> None:
        """Record what a worker has learnt since it last did: steps of deliveries, and how the agent is; all or nothing.

        A late or repeated step takes nothing back. LeaseLostError, also where the report is of an epoch that is over.
        """

    async def follow_up(self, delivery: int, id: str, text: str) -> Message | None:
        """Put what a turn that nobody asked for has to say to whom the delivery's own turn answered, in its thread.

        Args:
            delivery: What caused that turn; it may have ended.
            id: The message's; the same again is the first put.
            text: What the turn said.

        Returns:
            The message; None where the delivery answers nobody, or is known no more.
        """
        ...

    async def release(self, lease: Lease, reason: str) -> None:
        """Queue it again at its place, nothing counted."""

    async def wish(self, lease: Lease, wish: Wish) -> None:
        """Record why the turn is asked to end, before it is asked."""

    async def settle(
        self,
        leases: Sequence[Lease],
        state: State,
        reason: str,
        *,
        reply: Draft | None = None,
        partial: str = "",
        noted: Sequence[Noted] = (),
        report: Report | None = None,
        synced: bool = False,
    ) -> bool:
        """End deliveries with their one reply, or their notices, all or none; return whether more may wait for the agent.

        Args:
            leases: The deliveries'.
            state: An end.
            reason: One line.
            reply: The one reply, where the end is ``answered``. It is exempt from limits.
            partial: What the turn had written when it ended otherwise; goes into the notice.
            noted: Steps on the way there, recorded first.
            report: How the agent is from then on.
            synced: Also safe from loss of power when this returns.
        """
        ...

    async def lease_outgoing(self, recipient: str, *, owner: str) -> LeasedDelivery | None:
        """Lease the next delivery to a person or through a transport; None while another one to them is under a lease."""
        ...

    async def outgoing(self, transport: str | None) -> Sequence[str]:
        """Return the recipients for whom something waits: ``name@transport``, or people where it is None."""
        ...


class Mailbox(Letters, Agents, Leases, Orders, Permissions, Conversing, Tasks, Inboxes, Protocol):
    """The durable store of all that must not be lost."""

    def watch(self) -> AbstractAsyncContextManager[Watch]:
        """Watch for changes from now on."""
        ...

    async def replies(self, message: str) -> Sequence[Message]:
        """Return what was said in answer to a message, oldest first."""
        ...

    async def tick(self) -> float | None:
        """End what has expired, messages and requests; return wall-clock seconds of the next expiry, if any."""
        ...

    async def sweep(self, *, settled_before: float, keys_before: float, limit: int = 500) -> int:
        """Remove at most ``limit`` deliveries that ended before, keep their ids as tombstones; return how many.

        Those stay that led to one under way: its message's cause, that one's cause, and so on.
        """
        ...
