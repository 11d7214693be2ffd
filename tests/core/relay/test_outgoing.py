"""Deliveries that leave through a transport."""

from __future__ import annotations

import anyio
import pytest

from relaykit.builtin.local import LocalTransport
from relaykit.errors import TransportError, TransportRefusedError
from relaykit.model import Message, MessageKind, State
from relaykit.plugin import Receipt
from relaykit.testing.harness import World

pytestmark = pytest.mark.anyio


class Outside:
    """The other side of a transport, which takes what it is given unless a test says otherwise."""

    def __init__(self, *troubles: Exception) -> None:
        self.taken: list[tuple[str, str]] = []
        self.troubles = list(troubles)
        self.tried = anyio.Event()

    def reaches(self, recipient: str) -> bool:
        return True

    async def send(self, message: Message, recipient: str) -> Receipt:
        self.tried.set()
        if self.troubles:
            raise self.troubles.pop(0)
        self.taken.append((recipient, message.body))
        return Receipt(detail="taken under number 7")


async def test_a_message_to_a_name_beyond_a_transport_ends_acknowledged_with_what_the_other_side_said(
    world: World,
) -> None:
    outside = Outside()
    async with world.relay(transports={"dock": outside}) as relay:
        accepted = await relay.send("bob@dock", "hello bob")
        trace = await world.ended(accepted.message.id)
    assert outside.taken == [("bob@dock", "hello bob")]
    assert (trace.deliveries[0].state, trace.deliveries[0].reason) == (State.ACKNOWLEDGED, "taken under number 7")


async def test_what_is_not_taken_this_time_is_tried_again_after_the_time_that_the_other_side_said(world: World) -> None:
    outside = Outside(TransportError("busy", retry_after=42))
    async with world.relay(transports={"dock": outside}) as relay:
        accepted = await relay.send("bob@dock", "hello bob")
        with anyio.fail_after(10):
            await outside.tried.wait()
        await world.clock.advance(41)
        assert outside.taken == []
        await world.clock.advance(1)
        await world.ended(accepted.message.id)
    assert len(outside.taken) == 1
    assert any("busy" in line for line in world.reports)


async def test_what_the_other_side_refuses_for_good_ends_refused_and_its_sender_is_told(world: World) -> None:
    outside = Outside(TransportRefusedError("no such agent: bob"))
    async with world.relay(transports={"dock": outside}) as relay:
        accepted = await relay.send("bob@dock", "hello bob")
        trace = await world.ended(accepted.message.id)
        [notice] = await world.inbox()
    assert trace.deliveries[0].state is State.REFUSED
    assert notice.kind is MessageKind.NOTICE
    assert "no such agent: bob" in notice.body


async def test_a_program_in_this_process_reads_what_waits_for_a_person_and_what_comes(world: World) -> None:
    async with world.relay(transports={"local": LocalTransport()}) as relay:
        session = await world.provider.opened()
        first = await relay.send("a", "one")
        session.answer("first", (await session.submitted(1)).id)
        reply = (await world.ended(first.message.id)).replies[0]
        with anyio.fail_after(10), relay.inbox() as messages:
            assert (await messages.receive()).body == "first"
            await relay.send("a", "two")
            session.answer("second", (await session.submitted(2)).id)
            assert (await messages.receive()).body == "second"
        trace = await world.ended(reply.id)
    assert trace.deliveries[0].state is State.ACKNOWLEDGED
