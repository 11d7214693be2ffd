"""Deliveries that leave through a transport."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from relaykit.builtin.local import LocalTransport
from relaykit.errors import StoreBusyError, TransportError, TransportRefusedError
from relaykit.model import Message, MessageKind, State
from relaykit.plugin import Receipt
from relaykit.relay.outgoing import AT_ONCE
from relaykit.testing.clock import settle
from relaykit.testing.harness import World

pytestmark = pytest.mark.anyio


class Outside:
    """The other side of a transport, which takes what it is given unless a test says otherwise."""

    def __init__(self, *troubles: Exception, whose: str | None = None) -> None:
        self.taken: list[tuple[str, str]] = []
        self.troubles = list(troubles)
        self.whose = whose
        """The only one with whom there is trouble; None is everybody."""
        self.meanwhile = anyio.lowlevel.checkpoint
        self.tried = anyio.Event()

    def reaches(self, recipient: str) -> bool:
        return True

    async def send(self, message: Message, recipient: str) -> Receipt:
        self.tried.set()
        await self.meanwhile()
        if self.troubles and self.whose in (None, recipient):
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


@pytest.mark.parametrize(("operation", "troubles"), [("settle", []), ("release", [TransportError("busy")])])
async def test_what_a_store_does_not_take_at_once_is_neither_stranded_nor_sent_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, operation: str, troubles: list[Exception]
) -> None:
    outside, busy, real = (
        Outside(*troubles),
        [StoreBusyError("held by another process")],
        getattr(world.mailbox, operation),
    )

    async def first_busy(*args: object, **how: object) -> object:
        if busy:
            raise busy.pop()
        return await real(*args, **how)

    monkeypatch.setattr(world.mailbox, operation, first_busy)
    async with world.relay(transports={"dock": outside}) as relay:
        first = await relay.send("bob@dock", "first")
        second = await relay.send("bob@dock", "second")
        for _ in range(3):
            await world.clock.advance(1)
        for sent in (first, second):
            assert (await world.ended(sent.message.id)).deliveries[0].state is State.ACKNOWLEDGED
    assert outside.taken == [("bob@dock", "first"), ("bob@dock", "second")]
    assert not busy


async def test_a_lease_that_was_lost_while_the_other_side_did_not_take_it_ends_nobody(world: World) -> None:
    outside = Outside(TransportError("connection lost"))

    async def taken_for_dead() -> None:
        outside.meanwhile = anyio.lowlevel.checkpoint
        await world.mailbox.release_stale(world.clock.boot_id(), world.clock.boot() + 1)

    outside.meanwhile = taken_for_dead
    async with world.relay(transports={"dock": outside}) as relay:
        accepted = await relay.send("bob@dock", "hello bob")
        await world.clock.advance(0)
        await world.clock.advance(1)
        await world.ended(accepted.message.id)
    assert outside.taken == [("bob@dock", "hello bob")]
    assert any("someone else's" in line for line in world.reports)


async def test_a_transport_with_a_fault_of_its_own_is_reported_and_tried_again(world: World) -> None:
    outside = Outside(KeyError("a plugin's mistake"))
    async with world.relay(transports={"dock": outside}) as relay:
        accepted = await relay.send("bob@dock", "hello bob")
        await world.clock.advance(0)
        await world.clock.advance(1)
        await world.ended(accepted.message.id)
    assert any("a plugin's mistake" in line for line in world.reports)


@pytest.mark.parametrize("receipt", [None, "taken", Receipt(detail=None)])  # type: ignore[arg-type]
async def test_what_a_transport_sent_and_gave_no_receipt_for_is_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch, receipt: object
) -> None:
    outside, sent = Outside(), []

    async def send(message: Message, recipient: str) -> object:
        sent.append(message.body)
        return receipt

    monkeypatch.setattr(outside, "send", send)
    async with world.relay(transports={"dock": outside}) as relay:
        accepted = await relay.send("bob@dock", "hello bob")
        (delivery,) = (await world.ended(accepted.message.id)).deliveries
    assert (delivery.state, sent) == (State.ACKNOWLEDGED, ["hello bob"])
    assert "gave no receipt" in delivery.reason
    assert any("no receipt" in line for line in world.reports)


async def test_a_transport_that_cannot_say_whom_it_reaches_sends_them_nothing_is_reported_once_and_ends_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = Outside()

    def reaches(recipient: str) -> bool:
        if recipient == "odd@dock":
            raise KeyError(recipient)
        return True

    monkeypatch.setattr(outside, "reaches", reaches)
    async with world.relay(transports={"dock": outside}) as relay:
        odd = await relay.send("odd@dock", "hello odd")
        for _ in range(2):
            await world.ended((await relay.send("bob@dock", "hello bob")).message.id)
        assert (await relay.trace(odd.message.id)).deliveries[0].state is State.QUEUED
        monkeypatch.undo()
        await relay.send("bob@dock", "hello again")
        assert (await world.ended(odd.message.id)).deliveries[0].state is State.ACKNOWLEDGED
    (line,) = world.reports
    assert "odd@dock" in line


async def test_who_cannot_be_sent_to_for_an_hour_keeps_nobody_else_waiting(world: World) -> None:
    outside = Outside(TransportError("slow down", retry_after=3600), whose="bob@dock")
    async with world.relay(transports={"dock": outside}) as relay:
        bob = await relay.send("bob@dock", "hello bob")
        await settle()
        zoe = await relay.send("zoe@dock", "hello zoe")
        await world.ended(zoe.message.id)
        assert outside.taken == [("zoe@dock", "hello zoe")]
        await world.clock.advance(3600)
        await world.ended(bob.message.id)


async def test_what_is_tried_for_a_day_keeps_a_trace_that_can_be_read(world: World) -> None:
    outside = Outside(*[TransportError("connection refused") for _ in range(500)])
    async with world.relay(transports={"dock": outside}) as relay:
        accepted = await relay.send("bob@dock", "hello bob")
        while outside.troubles:
            await world.clock.advance(60)
        await world.clock.advance(60)
        steps = (await world.ended(accepted.message.id)).deliveries[0].steps
    notes = [step.note for step in steps]
    assert notes[1:3] == ["attempt 1", "not taken: connection refused"]
    assert notes[-3:] == ["not taken: connection refused", "attempt 501", "taken under number 7"]
    assert len(steps) < 70
    assert any("left out" in note for note in notes)
    assert [step.at for step in steps] == sorted(step.at for step in steps)


async def test_who_takes_for_ever_is_waited_for_alone_and_gets_one_at_a_time(world: World) -> None:
    outside, let_go = Outside(), anyio.Event()
    send = outside.send

    async def slow(message: Message, recipient: str) -> Receipt:
        if recipient == "slow@dock":
            begun.append(message.body)
            await let_go.wait()
        return await send(message, recipient)

    begun: list[str] = []
    outside.send = slow  # type: ignore[method-assign]
    async with world.relay(transports={"dock": outside}) as relay:
        slowly = [(await relay.send("slow@dock", body)).message.id for body in ("one", "two")]
        for body in ("three", "four"):
            await world.ended((await relay.send("bob@dock", body)).message.id)
        assert begun == ["one"]
        let_go.set()
        for message in slowly:
            await world.ended(message)
    assert outside.taken == [("bob@dock", "three"), ("bob@dock", "four"), ("slow@dock", "one"), ("slow@dock", "two")]


async def test_only_so_many_are_sent_to_at_once(world: World) -> None:
    outside, let_go = Outside(), anyio.Event()
    names = [f"{number}@dock" for number in range(AT_ONCE + 2)]
    busy: list[str] = []
    full = anyio.Event()

    async def counted(message: Message, recipient: str) -> Receipt:
        busy.append(recipient)
        if len(busy) == AT_ONCE:
            full.set()
        await let_go.wait()
        return Receipt(detail=f"{message.id} is there")

    outside.send = counted  # type: ignore[method-assign]
    async with world.relay(transports={"dock": outside}) as relay:
        sent = [(await relay.send(name, "hello")).message.id for name in names]
        with anyio.fail_after(10):
            await full.wait()
        await settle()
        assert len(busy) == AT_ONCE
        let_go.set()
        for message in sent:
            await world.ended(message)
    assert sorted(busy) == sorted(names)


async def test_what_was_under_way_to_several_when_the_relay_died_is_sent_to_each_by_the_next(world: World) -> None:
    names = ["ann@dock", "bob@dock", "eve@dock"]
    begun: set[str] = set()
    all_begun = anyio.Event()
    dead, living = Outside(), Outside()

    async def never(_: Message, recipient: str) -> Receipt:
        begun.add(recipient)
        if len(begun) == len(names):
            all_begun.set()
        await anyio.sleep_forever()
        raise AssertionError

    dead.send = never  # type: ignore[method-assign]
    async with world.doomed_relay(transports={"dock": dead}) as relay:
        sent = [(await relay.send(name, body)).message.id for body in ("one", "two") for name in names]
        with anyio.fail_after(10):
            await all_begun.wait()
    async with world.relay(transports={"dock": living}):
        await world.clock.advance(60)
        for message in sent:
            assert (await world.ended(message)).deliveries[0].state is State.ACKNOWLEDGED
    assert sorted(living.taken) == sorted((name, body) for body in ("one", "two") for name in names)
    for name in names:
        assert [body for whose, body in living.taken if whose == name] == ["one", "two"]
