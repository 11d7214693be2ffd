"""What a plugin waited for was cancelled, by nobody of the relay's. Only asyncio lets anyone do that."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from relaykit.model import State, StatusKind
from relaykit.relay.cancellations import ordered_only
from relaykit.testing.harness import World
from relaykit.testing.scripted import ScriptedSession

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


async def cancelled(*_: object) -> None:
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


async def test_one_that_a_scope_ordered_goes_through():
    with anyio.CancelScope() as scope:
        scope.cancel()
        with ordered_only():
            await anyio.sleep_forever()
    assert scope.cancelled_caught


async def test_one_that_nobody_ordered_is_an_error():
    with pytest.raises(RuntimeError, match="nobody ordered"), ordered_only():
        await cancelled()


async def test_one_out_of_a_provider_ends_one_life_of_its_agent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(ScriptedSession, "submit", cancelled)
        async with world.relay() as relay:
            message = (await relay.send("a", "hello")).message.id
            await world.provider.opened()
            await world.status("a", StatusKind.ERROR, "restarting")
            broken.undo()
            await world.clock.advance(5)
            session = await world.provider.opened(2)
            session.answer("hi", (await session.submitted()).id)
            assert (await world.ended(message)).deliveries[0].state is State.ANSWERED
    assert any("nobody ordered" in line for line in world.reports)


async def test_one_out_of_a_transport_is_a_fault_of_its_own(world: World) -> None:
    class Outside:
        def reaches(self, recipient: str) -> bool:
            return True

        send = staticmethod(cancelled)

    async with world.relay(transports={"dock": Outside()}) as relay:
        message = (await relay.send("bob@dock", "hello")).message.id
        await world.until(message, lambda delivery: "nobody ordered" in delivery.reason)
