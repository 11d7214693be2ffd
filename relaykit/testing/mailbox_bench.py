"""What the parts of the mailbox suite work with: an open mailbox, and the moves of relays and people as one-liners."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from relaykit.model import (
    USER,
    Accepted,
    Agent,
    Claim,
    Delivery,
    Draft,
    Lease,
    LeasedDelivery,
    Limits,
    Message,
    Noted,
    Report,
    State,
    Status,
)
from relaykit.plugin import Clock, Joining, Mailbox
from relaykit.testing.clock import VirtualClock

SECONDS = 10.0
"""Within which every wait of a test is over."""
RELAY = "relay-1"
LIMITS = Limits(queued=5, queued_bytes=1000, message_bytes=600, hops=4, thread_automatic=3)
"""Small, so that tests reach them."""


@dataclass
class Bench:
    """A mailbox with a clock that the test turns, and agents whose claims are remembered."""

    mailbox: Mailbox
    clock: VirtualClock
    claims: dict[str, Claim] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    async def claim(self, *ids: str, relay: str = RELAY, deaths: bool = True, **traits: Any) -> Claim:
        """Have a relay run agents; return the last one's claim."""
        for name in ids:
            agent = Agent(id=name, provider="echo", cwd="/", **traits)
            self.claims[name] = await self.mailbox.claim(agent, relay, deaths=deaths)
        return self.claims[ids[-1]]

    async def put(self, to: str = "a", body: str = "hello", *, sender: str = USER, **rest: Any) -> Accepted:
        """Put a message."""
        waits = rest.pop("waits", None)
        return await self.mailbox.put(Draft(sender=sender, to=to, body=body, **rest), waits=waits)

    async def offered(
        self, agent: str = "a", *, relay: str = RELAY, joining: Joining | None = None
    ) -> LeasedDelivery | None:
        """Lease the agent's next delivery, if there is one."""
        number = next(self._numbers)
        return await self.mailbox.lease(
            agent,
            owner=relay,
            epoch=self.claims[agent].epoch,
            submission=f"submission-{number}",
            session="session-1",
            joining=joining,
        )

    async def lease(self, agent: str = "a") -> LeasedDelivery:
        """Lease the agent's next delivery, which there must be."""
        leased = await self.offered(agent)
        assert leased is not None, f"nothing waits for {agent}"
        return leased

    async def took(self, lease: Lease) -> None:
        """Note that the provider took the text."""
        await self.mailbox.note([Noted(lease=lease, at=self.clock.now())])

    async def saw(self, lease: Lease, turn: str) -> None:
        """Note that a turn began with it."""
        await self.mailbox.note([Noted(lease=lease, at=self.clock.now(), turn=turn)])

    async def say(self, agent: str, epoch: int, status: Status, *, pid: int | None, session: str | None) -> None:
        """Report how an agent is."""
        report = Report(agent=agent, epoch=epoch, status=status, pid=pid, session=session)
        await self.mailbox.note([], report)

    async def begin(self, agent: str = "a") -> LeasedDelivery:
        """Lease the agent's next delivery and have its turn begin."""
        leased = await self.lease(agent)
        await self.took(leased.lease)
        await self.saw(leased.lease, f"turn-{leased.delivery.id}")
        return leased

    async def answer(self, *leased: LeasedDelivery, text: str = "done") -> Message:
        """Settle deliveries with a reply to whom the first one's turn answers; return the reply."""
        reply = reply_of(leased[0], text)
        await self.mailbox.settle([one.lease for one in leased], State.ANSWERED, "completed", reply=reply)
        return (await self.mailbox.trace(reply.id)).message

    async def answer_nothing_more(self, leased: LeasedDelivery) -> None:
        """Settle a delivery with the text of its turn, for which an answer was stored already."""
        await self.mailbox.settle([leased.lease], State.ANSWERED, "completed", reply=reply_of(leased, "at the end"))

    async def exchange(self, agent: str = "a", text: str = "done") -> Message:
        """Have the agent answer what is next in its queue."""
        return await self.answer(await self.begin(agent), text=text)

    async def fail(self, leased: LeasedDelivery, state: State = State.FAILED, reason: str = "broken") -> None:
        """Settle a delivery otherwise than well."""
        await self.mailbox.settle([leased.lease], state, reason)

    async def delivery(self, message: str, recipient: str | None = None) -> Delivery:
        """Return the one delivery of a message, or that to a recipient."""
        found = (await self.mailbox.trace(message)).deliveries
        chosen = [one for one in found if recipient in (None, one.recipient)]
        assert len(chosen) == 1, f"deliveries: {found}"
        return chosen[0]

    async def inbox(self, recipient: str = USER) -> Sequence[Message]:
        """Return the messages that wait for a recipient."""
        return [item.message for item in await self.mailbox.inbox(recipient)]


def reply_of(leased: LeasedDelivery, text: str = "done") -> Draft:
    """Return the draft that a worker makes of a turn's text."""
    assert leased.reply_to is not None, "nobody is answered"
    to = leased.reply_to
    return Draft(sender=leased.delivery.recipient, to=to.recipient, body=text, thread=to.thread, kind=to.kind)


def states(delivery: Delivery) -> list[State]:
    """Return the states that a delivery went through."""
    return [step.state for step in delivery.steps]


class MailboxPart:
    """What the parts of the suite have in common."""

    pytestmark = pytest.mark.anyio

    def open(self, directory: Path, clock: Clock, limits: Limits) -> AbstractAsyncContextManager[Mailbox]:
        """Open the mailbox that keeps its files in a directory, with the router ``address``; the subclass's to say."""
        raise NotImplementedError

    @pytest.fixture
    def limits(self) -> Limits:
        """Bounds that a test reaches."""
        return LIMITS

    @pytest.fixture
    async def bench(self, tmp_path: Path, limits: Limits) -> AsyncIterator[Bench]:
        """An open mailbox in which the agent ``a`` is run."""
        clock = VirtualClock()
        async with self.open(tmp_path, clock, limits) as mailbox:
            bench = Bench(mailbox, clock)
            await bench.claim("a")
            yield bench
