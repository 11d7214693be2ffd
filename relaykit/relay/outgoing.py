"""Carries deliveries out through one transport, and people's messages to whoever reads them in this process."""

from __future__ import annotations

from relaykit.errors import LeaseLostError, StoreError, TransportError, TransportRefusedError
from relaykit.model import LeasedDelivery, State
from relaykit.plugin import Subscribable, Transport
from relaykit.relay.dispatcher import Bell
from relaykit.relay.services import Services

LOCAL = "local"

_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0


class Outgoing:
    """Sends what waits for one transport, one message at a time, oldest first."""

    def __init__(self, name: str, transport: Transport, services: Services) -> None:
        """Make the way out through one transport; the one named ``local`` is the way to people here."""
        self._name = None if name == LOCAL else name
        self._transport = transport
        self._people = transport if isinstance(transport, Subscribable) else None
        self._mailbox = services.mailbox
        self._clock = services.clock
        self._owner = services.incarnation
        self._report = services.report
        self._delay = _FIRST_SECONDS
        self._bell = Bell()
        services.dispatcher.follow(self._bell)

    def look(self) -> None:
        """Look again: someone can be reached now who could not before."""
        self._bell.ring()

    async def run(self) -> None:
        """Send for ever."""
        self._bell.ring()
        while True:
            await self._bell.wait()
            try:
                await self._send_all()
            except StoreError as error:
                await self._rest(f"the mailbox cannot be used: {error}", None)
                self._bell.ring()

    async def _send_all(self) -> None:
        if self._people is not None and not self._people.readers:
            return
        for recipient in await self._mailbox.outgoing(self._name):
            while self._transport.reaches(recipient):
                item = await self._mailbox.lease_outgoing(recipient, owner=self._owner)
                if item is None or not await self._send(item, recipient):
                    break

    async def _send(self, item: LeasedDelivery, recipient: str) -> bool:
        try:
            receipt = await self._transport.send(item.message, recipient)
        except TransportRefusedError as error:
            await self._end(item, State.REFUSED, str(error))
        except TransportError as error:
            await self._mailbox.release(item.lease, f"not taken: {error}")
            await self._rest(f"{recipient}: {error}", error.retry_after)
            return False
        else:
            self._delay = _FIRST_SECONDS
            await self._end(item, State.ACKNOWLEDGED, receipt.detail)
        return True

    async def _end(self, item: LeasedDelivery, state: State, reason: str) -> None:
        try:
            await self._mailbox.settle([item.lease], state, reason, synced=self._name is not None)
        except LeaseLostError:
            self._report(f"message {item.message.id} was sent, but its delivery had ended meanwhile")

    async def _rest(self, why: str, seconds: float | None) -> None:
        wait = self._delay if seconds is None else seconds
        self._report(f"{why}; next try in {wait:.0f} s")
        self._delay = min(self._delay * 2, _LONGEST_SECONDS)
        await self._clock.sleep(wait)
