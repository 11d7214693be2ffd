"""The mailbox as relays see it: every method runs one operation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from relaykit.mailbox import (
    attention,
    directory,
    freeing,
    leases,
    letters,
    orders,
    permissions,
    queueing,
    reading,
    recall,
    retention,
    settling,
)
from relaykit.mailbox.front_conversing import ConversingMailbox

if TYPE_CHECKING:
    from relaykit.mailbox.transaction import Transaction
    from relaykit.model import (
        Accepted,
        Agent,
        Claim,
        Command,
        CommandKind,
        CommandState,
        Decision,
        Delivery,
        DirectoryEntry,
        Draft,
        InboxItem,
        Lease,
        LeasedDelivery,
        Message,
        Noted,
        PermissionRequest,
        Question,
        RelayRecord,
        Reply,
        Report,
        State,
        Status,
        Trace,
        Wish,
    )
    from relaykit.plugin.mailbox import Joining, Waiting, Watch
    from relaykit.storage.executor import Executor


class OperationsMailbox(ConversingMailbox):
    """A mailbox over anything that runs operations. The promises stand with the protocol.

    Args:
        executor: Runs the operations.
        watch: Opens a watch for changes.
        synced: Whether every message is also safe from loss of power, not only those that ask.
    """

    def __init__(
        self,
        executor: Executor[Transaction],
        watch: Callable[[], AbstractAsyncContextManager[Watch]],
        *,
        synced: bool = False,
    ) -> None:
        super().__init__(executor, synced=synced)
        self._watch = watch

    def watch(self) -> AbstractAsyncContextManager[Watch]:
        """Watch for changes from now on."""
        return self._watch()

    async def put(self, draft: Draft, *, synced: bool = False, waits: float | None = None) -> Accepted:
        """Store a message and one delivery for each recipient."""
        return await self._put(letters.put, draft, waits=waits, text=draft.body, synced=synced)

    async def trace(self, message: str) -> Trace:
        """Return all that is known of a message."""
        return await self._run_brief(reading.trace, message)

    async def inbox(self, recipient: str, *, ended: bool = False, limit: int = 100) -> Sequence[InboxItem]:
        """Return what waits for a recipient in the order of its queue."""
        return await self._run(reading.inbox, recipient, ended=ended, limit=limit)

    async def acknowledge(self, deliveries: Collection[int], note: str) -> None:
        """End deliveries to people: they were shown."""
        await self._run(reading.acknowledge, deliveries, note)

    async def cancel(
        self, message: str, *, recipient: str | None = None, interrupt: bool = False
    ) -> Sequence[Delivery]:
        """Cancel a message's deliveries; return them as they are now."""
        return await self._run(recall.cancel, message, recipient=recipient, interrupt=interrupt)

    async def requeue(self, message: str, *, recipient: str | None = None) -> Sequence[Delivery]:
        """Queue a message's deliveries that ended otherwise than well once more."""
        return await self._run(recall.requeue, message, recipient=recipient)

    async def edit(self, message: str, body: str, *, recipient: str | None = None) -> Sequence[Delivery]:
        """Give a message's queued deliveries another text; return them as they are now."""
        return await self._run(queueing.edit, message, body, recipient=recipient)

    async def move(
        self, message: str, *, before: str | None = None, recipient: str | None = None
    ) -> Sequence[Delivery]:
        """Put a message's queued deliveries before another's, or first; return them as they are now."""
        return await self._run(queueing.move, message, before=before, recipient=recipient)

    async def end_wait(self, message: str) -> None:
        """Note that the sender no longer waits for the answer."""
        await self._run(letters.end_wait, message)

    async def join(self, relay: RelayRecord) -> None:
        """Enter a running relay."""
        await self._run(directory.join, relay)

    async def beat(self, incarnation: str, boot: str, at: float) -> None:
        """Say that the relay lives."""
        await self._run(directory.beat, incarnation, boot, at)

    async def leave(self, incarnation: str) -> None:
        """Take a relay out that has stopped in good order."""
        await self._run(freeing.leave, incarnation)

    async def claim(self, agent: Agent, incarnation: str, *, deaths: bool = True) -> Claim:
        """Enter or update the agent and raise its epoch."""
        return await self._run(directory.claim, agent, incarnation, deaths=deaths)

    async def describe(self, agent: Agent, epoch: int) -> None:
        """Enter what is now known of an agent that is run."""
        await self._run(directory.describe, agent, epoch)

    async def retire(self, agent: str, epoch: int, status: Status) -> None:
        """Note that the agent is no longer run."""
        await self._run(directory.retire, agent, epoch, status)

    async def agents(self) -> Sequence[DirectoryEntry]:
        """Return the directory, by id."""
        return await self._run(directory.agents)

    async def relays(self) -> Sequence[RelayRecord]:
        """Return the relays that have entered."""
        return await self._run(directory.relays)

    async def release_stale(self, boot: str, before: float, dead: Sequence[str] = ()) -> int:
        """Free what dead relays leased and no agent's lock protects; return how many."""
        return await self._run(freeing.release_stale, boot, before, dead)

    async def waiting(self, agents: Collection[str]) -> dict[str, Waiting]:
        """Return what waits for each of the agents."""
        return await self._run_brief(attention.waiting, agents)

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
        """Lease the next delivery for a hand-over under that submission id, or return None."""
        return await self._run_brief(
            leases.lease,
            agent,
            owner=owner,
            epoch=epoch,
            submission=submission,
            session=session,
            joining=joining,
        )

    async def lease_outgoing(self, recipient: str, *, owner: str) -> LeasedDelivery | None:
        """Lease the next delivery to a person or through a transport; synced, if another machine is told of it next."""
        run = self._run_synced if "@" in recipient else self._run
        return await run(leases.lease_outgoing, recipient, owner=owner)

    async def outgoing(self, transport: str | None) -> Sequence[str]:
        """Return the recipients beyond a transport, or the people, for whom something waits."""
        return await self._run(leases.outgoing, transport)

    async def leased(self, delivery: int) -> LeasedDelivery:
        """Return a delivery with its message and whom it answers."""
        return await self._run(leases.leased, delivery)

    async def relet(
        self, lease: Lease, *, submission: str, session: str, note: str, anew: bool = False
    ) -> LeasedDelivery:
        """Take a new attempt at a delivery that is held."""
        return await self._run(leases.relet, lease, submission=submission, session=session, note=note, anew=anew)

    async def forgive(self, lease: Lease) -> LeasedDelivery:
        """Take back the death that the claim counted: the text had not been handed over."""
        return await self._run(leases.forgive, lease)

    async def note(self, steps: Sequence[Noted], report: Report | None = None) -> None:
        """Record what a worker has learnt since it last did."""
        await self._run_brief(leases.note, steps, report)

    async def follow_up(self, delivery: int, id: str, text: str) -> Message | None:
        """Put what a turn that nobody asked for says to whom the delivery's own turn answered."""
        return await self._run(settling.follow_up, delivery, id, text)

    async def release(self, lease: Lease, reason: str) -> None:
        """Queue it again at its place, nothing counted."""
        await self._run(leases.release, lease, reason)

    async def wish(self, lease: Lease, wish: Wish) -> None:
        """Record why the turn is asked to end, before it is asked."""
        await self._run(leases.wish, lease, wish)

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
        """End deliveries together with their one reply, or their notices; return whether more may wait."""
        return await self._put(
            settling.settle,
            leases,
            state,
            reason,
            reply=reply,
            partial=partial,
            noted=noted,
            report=report,
            text=reply.body if reply else partial,
            synced=synced,
        )

    async def order(
        self, agent: str, kind: CommandKind, *, text: str = "", sender: str, id: str | None = None
    ) -> Command:
        """Store a command under the agent's epoch."""
        return await self._run(orders.order, agent, kind, text=text, sender=sender, id=id)

    async def orders(self, agent: str, epoch: int) -> Sequence[Command]:
        """Return the commands that wait to be taken, oldest first."""
        return await self._run(orders.orders, agent, epoch)

    async def advance(self, command: str, state: CommandState, result: str = "") -> None:
        """Move a command on; one that has ended stays as it is."""
        await self._run(orders.advance, command, state, result)

    async def command(self, command: str) -> Command:
        """Return a command."""
        return await self._run(orders.command, command)

    async def ask(
        self, agent: str, epoch: int, session: str, question: Question, *, expires_in: float
    ) -> PermissionRequest:
        """Store a permission request, or find the open one that is its replay."""
        return await self._run(permissions.ask, agent, epoch, session, question, expires_in=expires_in)

    async def decide(
        self, request: str, decision: Decision, *, by: str, reason: str = "", reply: Reply | None = None
    ) -> PermissionRequest:
        """Decide an open request; the first decision wins."""
        return await self._run(permissions.decide, request, decision, by=by, reason=reason, reply=reply)

    async def decided(self, agent: str, epoch: int) -> Sequence[PermissionRequest]:
        """Return requests that have an answer of which the session was not told."""
        return await self._run(permissions.decided, agent, epoch)

    async def applied(self, request: str) -> None:
        """Note that the session was told."""
        await self._run(permissions.applied, request)

    async def withdraw(self, session: str, keys: Collection[str] | None, reason: str) -> None:
        """Close open requests of a provider session."""
        await self._run(permissions.withdraw, session, keys, reason)

    async def permissions(self, *, all: bool = False) -> Sequence[PermissionRequest]:
        """Return the open requests, oldest first; with ``all`` the closed ones, too."""
        return await self._run(permissions.permissions, all=all)

    async def tick(self) -> float | None:
        """End what has expired; return wall-clock seconds of the next expiry, if any."""
        return await self._run(retention.tick)

    async def sweep(self, *, settled_before: float, keys_before: float, limit: int = 500) -> int:
        """Remove at most so many deliveries that ended before; return how many."""
        return await self._run(retention.sweep, settled_before=settled_before, keys_before=keys_before, limit=limit)
