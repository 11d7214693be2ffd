"""The model and the permission mode that were ordered while an agent ran, after its session ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from relaykit.errors import ProviderError
from relaykit.model import CommandKind, Fault, StatusKind, Whose
from relaykit.relay import Relay
from relaykit.testing.harness import World
from relaykit.testing.scripted import ScriptedSession

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def ordered(world: World) -> AsyncIterator[tuple[Relay, ScriptedSession]]:
    """Run a relay whose agent was ordered to go on otherwise than it began."""
    async with world.relay() as relay:
        session = await world.provider.opened()
        await world.outcome(await relay.order("a", CommandKind.MODEL, "large"))
        await world.outcome(await relay.order("a", CommandKind.PERMISSION_MODE, "plan"))
        yield relay, session


async def asked(world: World, relay: Relay, count: int) -> tuple[str, str]:
    """Return the model and the mode that the agent has by the time when it is asked something."""
    session = await world.provider.opened(count)
    await relay.send("a", "hello")
    session.answer("hi", (await session.submitted()).id)
    return session.model, session.permission_mode


async def test_a_session_that_is_opened_after_a_death_goes_on_as_was_ordered(world: World) -> None:
    async with ordered(world) as (relay, session):
        session.die()
        await world.status("a", StatusKind.ERROR, "restarting")
        await world.clock.advance(2)
        assert await asked(world, relay, 2) == ("large", "plan")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (CommandKind.CLEAR, ("large", "plan")),
        (CommandKind.RECONNECT, ("large", "plan")),
        (CommandKind.RESTART, ("", "")),
    ],
)
async def test_only_a_restart_by_order_goes_back_to_the_configuration(
    world: World, kind: CommandKind, expected: tuple[str, str]
) -> None:
    async with ordered(world) as (relay, _):
        await world.outcome(await relay.order("a", kind))
        assert await asked(world, relay, 2) == expected


async def test_what_was_refused_is_not_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise ProviderError(Fault(whose=Whose.AGENT, code="mode", message="there is no such mode"))

    async with ordered(world) as (relay, session):
        monkeypatch.setattr(session, "set_permission_mode", refuse)
        assert "no such mode" in (await world.outcome(await relay.order("a", CommandKind.PERMISSION_MODE, "x"))).result
        session.die()
        await world.status("a", StatusKind.ERROR, "restarting")
        await world.clock.advance(2)
        assert await asked(world, relay, 2) == ("large", "plan")


async def test_a_session_that_does_not_go_on_as_was_ordered_is_given_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise ProviderError(Fault(whose=Whose.AGENT, code="mode", message="not in that mode any more"))

    async with ordered(world) as (relay, session):
        with monkeypatch.context() as patch:
            patch.setattr(ScriptedSession, "set_permission_mode", refuse)
            session.die()
            await world.status("a", StatusKind.ERROR, "restarting")
            await relay.send("a", "hello")
            await world.clock.advance(2)
            await world.status("a", StatusKind.ERROR, "paused")
        assert world.provider.sessions[-1].submissions == []
        assert "not in that mode any more" in world.reports[-1]
        await world.clock.advance(5)
        third = await world.provider.opened(3)
        third.answer("hi", (await third.submitted()).id)
        assert third.permission_mode == "plan"
