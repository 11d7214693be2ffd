"""What is for any of a group: one of them has it, and the others are left alone."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from relaykit.model import CommandKind, Outcome, Priority, State, StatusKind
from relaykit.testing.clock import settle
from relaykit.testing.harness import World

pytestmark = pytest.mark.anyio
STALE = 50.0


async def test_what_one_of_them_began_is_no_others_however_soon_its_relay_died(world: World) -> None:
    mates = [world.agent(name, tags=("x",)) for name in ("a", "b")]
    async with world.relay(mates[1]) as other:
        b = await world.provider.opened()
        busy = await other.send("b", "other work")
        b.start((await b.submitted()).id)
        await world.until(busy.message.id, lambda delivery: delivery.state is State.SEEN)
        async with world.doomed_relay(mates[0]) as relay:
            a = await world.provider.opened(2)
            await world.status("a", StatusKind.IDLE)
            sent = await relay.send("any:tag:x", "push the release")
            a.start((await a.submitted()).id)
            a.use_tool("git push")
            await settle()
        b.end(text="done")
        await world.ended(busy.message.id)
        await world.clock.advance(STALE)
        await settle()
        assert [one.text for one in b.submissions] == ["other work"]
    world.provider.turns[a.id] = [replace(turn, outcome=Outcome.INTERRUPTED) for turn in world.provider.turns[a.id]]
    async with world.relay(mates[0]):
        again = await (await world.provider.opened(3)).submitted()
        assert "You were interrupted" in again.text
        (delivery,) = (await world.mailbox.trace(sent.message.id)).deliveries
        assert delivery.recipient == "a"


async def test_a_now_interrupts_none_of_them_and_is_the_first_that_one_takes(world: World) -> None:
    mates = [world.agent(name, tags=("x",)) for name in ("a", "b")]
    async with world.relay(*mates) as relay:
        sessions = await world.provider.opened(1), await world.provider.opened(2)
        busy = []
        for session in sessions:
            busy.append(await relay.send(session.request.agent, "work"))
            session.start((await session.submitted()).id)
            await world.until(busy[-1].message.id, lambda delivery: delivery.state is State.SEEN)
            await relay.send(session.request.agent, "more work")
        await relay.send("any:tag:x", "urgent", priority=Priority.NOW)
        for session in sessions * 2:  # whoever was steered twice has looked at what waits in between
            await world.outcome(await relay.order(session.request.agent, CommandKind.STEER, "left"))
        assert [session.interrupts for session in sessions] == [0, 0]
        sessions[1].end(text="done")
        assert (await sessions[1].submitted(4)).text == "urgent"
        assert (await world.mailbox.trace(busy[0].message.id)).deliveries[0].state is State.SEEN
