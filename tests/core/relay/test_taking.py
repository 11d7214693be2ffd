"""When a worker looks into its queue, and when it need not."""

from __future__ import annotations

from typing import Any

import pytest

from relaykit.model import StatusKind
from relaykit.relay import Relay
from relaykit.testing.harness import World

pytestmark = pytest.mark.anyio


class Counted:
    """Counts how often the queue was looked into, and can do something right after a settlement."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looks = 0
        self.afterwards: list[str] = []
        self._world = world
        self._lease, self._settle = world.mailbox.lease, world.mailbox.settle
        monkeypatch.setattr(world.mailbox, "lease", self.lease)
        monkeypatch.setattr(world.mailbox, "settle", self.settle)
        self.relay: Relay

    async def lease(self, *args: Any, **kwargs: Any) -> object:
        self.looks += 1
        return await self._lease(*args, **kwargs)

    async def settle(self, *args: Any, **kwargs: Any) -> bool:
        settled = await self._settle(*args, **kwargs)
        for text in self.afterwards:
            await self.relay.send("a", text)
        self.afterwards.clear()
        return settled


@pytest.fixture
def counted(world: World, monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(world, monkeypatch)


async def test_a_queue_that_a_settlement_left_empty_is_not_looked_into(world: World, counted: Counted) -> None:
    async with world.relay() as relay:
        session = await world.provider.opened()
        await world.status("a", StatusKind.IDLE)
        for count in (1, 2):
            before = counted.looks
            sent = await relay.send("a", "hello")
            session.answer("hi", (await session.submitted(count)).id)
            await world.ended(sent.message.id)
            await world.status("a", StatusKind.IDLE)
            assert counted.looks == before + 1


async def test_what_comes_right_after_a_settlement_is_delivered(world: World, counted: Counted) -> None:
    async with world.relay() as counted.relay:
        session = await world.provider.opened()
        counted.afterwards.append("and this")
        await counted.relay.send("a", "hello")
        session.answer("hi", (await session.submitted(1)).id)
        second = await session.submitted(2)
        assert second.text == "and this"
        session.answer("hi again", second.id)
        assert [message.body for message in await world.received(2)] == ["hi", "hi again"]


async def test_what_waited_meanwhile_is_taken_in_the_same_step(world: World, counted: Counted) -> None:
    async with world.relay() as relay:
        session = await world.provider.opened()
        for text in ("one", "two"):
            await relay.send("a", text)
        session.answer("ok", (await session.submitted(1)).id)
        assert (await session.submitted(2)).text == "two"
