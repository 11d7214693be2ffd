"""What is for any of a group: one of them has it, and the others are left alone."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from relaykit.model import Outcome, State, StatusKind
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
