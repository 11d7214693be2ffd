"""Carries deliveries out through one transport, and people's messages to whoever reads them in this process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import anyio

from relaykit.errors import LeaseLostError, TransportError, TransportRefusedError
from relaykit.model import LeasedDelivery, State
from relaykit.plugin import Receipt, Subscribable, Transport
from relaykit.relay.cancellations import ordered_only
from relaykit.relay.dispatcher import Bell
from relaykit.relay.insisting import insist
from relaykit.relay.services import Services

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

T = TypeVar("T")
LOCAL = "local"

_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0
AT_ONCE = 16
"""To how many a transport sends at once."""


class Outgoing:
    """Sends what waits for one transport: to each recipient one message at a time, its oldest first, to several at once.

    Who cannot be sent to rests alone, and who takes long is waited for alone: nobody else waits for that.
    """

    def __init__(self, name: str, transport: Transport, services: Services) -> None:
        """Make the way out through one transport; the one named ``local`` is the way to people here."""
        self._name = None if name == LOCAL else name
        self._transport = transport
        self._people = transport if isinstance(transport, Subscribable) else None
        self._mailbox = services.mailbox
        self._clock = services.clock
        self._owner = services.incarnation
        self._report = services.report
        self._delays: dict[str, float] = {}
        """The next rest of those who could not be sent to the last time."""
        self._resting: set[str] = set()
        self._sent_to: dict[str, bool] = {}
        """Those to whom a task sends, and whether more may have come since it looked."""
        self._places = anyio.Semaphore(AT_ONCE)
        self._unclear: set[str] = set()
        """Those of whom the transport could not say whether it reaches them; that was reported."""
        self._bell = Bell()
        services.dispatcher.follow(self._bell)

    def look(self) -> None:
        """Look again: someone can be reached now who could not before."""
        self._resting.clear()
        self._bell.ring()

    async def run(self) -> None:
        """Send for ever."""
        async with anyio.create_task_group() as tasks:
            self._bell.ring()
            while True:
                await self._bell.wait()
                if self._people is None or self._people.readers:
                    for recipient in await self._insist(lambda: self._mailbox.outgoing(self._name)):
                        self._send_to(recipient, tasks)

    def _send_to(self, recipient: str, tasks: TaskGroup) -> None:
        if recipient in self._sent_to:
            self._sent_to[recipient] = True
        elif self._takes(recipient):
            self._sent_to[recipient] = True
            tasks.start_soon(self._send_all, recipient, tasks, name=f"sending to {recipient}")

    async def _send_all(self, recipient: str, tasks: TaskGroup) -> None:
        async with self._places:
            while self._sent_to[recipient]:
                self._sent_to[recipient] = False
                while (item := await self._next(recipient)) is not None:
                    await self._send(item, recipient, tasks)
            del self._sent_to[recipient]

    async def _next(self, recipient: str) -> LeasedDelivery | None:
        """Return what waits for a recipient longest; None where nothing does, or it cannot be sent to now."""
        if not self._takes(recipient):
            return None
        return await self._insist(lambda: self._mailbox.lease_outgoing(recipient, owner=self._owner))

    def _takes(self, recipient: str) -> bool:
        return recipient not in self._resting and self._reaches(recipient)

    def _reaches(self, recipient: str) -> bool:
        try:
            return self._transport.reaches(recipient)
        except Exception as error:  # noqa: BLE001 - a plugin's mistake must not end the relay
            if recipient not in self._unclear:
                self._unclear.add(recipient)
                self._report(f"{recipient}: the transport has a fault, nothing is sent: {error!r}")
            return False

    async def _send(self, item: LeasedDelivery, recipient: str, tasks: TaskGroup) -> None:
        try:
            receipt = await self._take(item, recipient)
        except TransportRefusedError as error:
            await self._end(item, State.REFUSED, str(error))
        except TransportError as error:
            await self._put_back(item, str(error))
            self._rest(recipient, error, tasks)
        else:
            self._delays.pop(recipient, None)
            await self._end(item, State.ACKNOWLEDGED, receipt.detail)

    async def _take(self, item: LeasedDelivery, recipient: str) -> Receipt:
        """Have the transport send it; whatever a plugin raises by mistake is no end of the relay."""
        try:
            with ordered_only():
                receipt: object = await self._transport.send(item.message, recipient)
        except TransportError:
            raise
        except Exception as error:
            raise TransportError(f"the transport has a fault: {error!r}") from error
        if isinstance(receipt, Receipt) and isinstance(receipt.detail, str):
            return receipt
        self._report(f"{recipient}: the transport has a fault: it answers with no receipt, but {receipt!r}")
        return Receipt(detail="sent, as far as is known: the transport gave no receipt")

    async def _end(self, item: LeasedDelivery, state: State, reason: str) -> None:
        try:
            synced = self._name is not None
            await self._insist(lambda: self._mailbox.settle([item.lease], state, reason, synced=synced))
        except LeaseLostError:
            self._report(f"message {item.message.id} was sent, but its delivery had ended meanwhile")

    async def _put_back(self, item: LeasedDelivery, why: str) -> None:
        try:
            await self._insist(lambda: self._mailbox.release(item.lease, f"not taken: {why}"))
        except LeaseLostError:
            self._report(f"message {item.message.id} was not taken, and its delivery is someone else's meanwhile")

    def _rest(self, recipient: str, error: TransportError, tasks: TaskGroup) -> None:
        delay = self._delays.get(recipient, _FIRST_SECONDS)
        self._delays[recipient] = min(delay * 2, _LONGEST_SECONDS)
        wait = delay if error.retry_after is None else error.retry_after
        self._report(f"{recipient}: {error}; next try in {wait:.0f} s")
        self._resting.add(recipient)
        tasks.start_soon(self._wake, recipient, wait, name=f"{recipient} rests")

    async def _wake(self, recipient: str, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._resting.discard(recipient)
        self._bell.ring()

    async def _insist(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Do not let go of what is under a lease because the mailbox cannot be used for a while."""
        return await insist(operation, self._clock, self._report)
