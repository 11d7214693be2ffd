"""A command is carried out once, whatever else goes on."""

from __future__ import annotations

import pytest

from relaykit.model import Agent, Claim, Command, CommandKind, CommandState, StatusKind
from relaykit.testing.harness import World

pytestmark = pytest.mark.anyio


@pytest.mark.parity("AR-8")
@pytest.mark.parametrize("kind", [CommandKind.COMPACT, CommandKind.RESTART])
async def test_a_list_of_commands_that_comes_late_has_none_carried_out_again(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: CommandKind
) -> None:
    listed: list[Command] = []
    waiting = world.mailbox.orders

    async def late(agent: str, epoch: int) -> list[Command]:
        listed.extend(await waiting(agent, epoch))
        return [*listed]

    monkeypatch.setattr(world.mailbox, "orders", late)
    async with world.relay() as relay:
        await world.provider.opened()
        assert (await world.outcome(await relay.order("a", kind))).state is CommandState.SUCCEEDED
        session = await world.provider.opened(2 if kind is CommandKind.RESTART else 1)
        await world.status("a", StatusKind.IDLE)
        assert (await world.outcome(await relay.order("a", CommandKind.INTERRUPT))).result == "no turn ran"
        assert (await world.outcome(await relay.order("a", CommandKind.INTERRUPT))).result == "no turn ran"
    assert session is world.provider.sessions[-1]
    assert session.compacted == (kind is CommandKind.COMPACT)


@pytest.mark.parametrize("kind", [CommandKind.STOP, CommandKind.KILL])
async def test_an_order_to_end_that_comes_while_the_agent_is_started_again_ends_it(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: CommandKind
) -> None:
    ordered: list[Command] = []
    claim = world.mailbox.claim

    async def ordered_before(agent: Agent, incarnation: str, *, deaths: bool = True) -> Claim:
        if world.provider.sessions:
            ordered.append(await world.mailbox.order("a", kind, sender="user"))
        return await claim(agent, incarnation, deaths=deaths)

    monkeypatch.setattr(world.mailbox, "claim", ordered_before)
    async with world.relay():
        session = await world.provider.opened()
        await world.status("a", StatusKind.IDLE)
        session.die()
        await world.status("a", StatusKind.ERROR, "restarting")
        await world.clock.advance(10)
        await world.status("a", StatusKind.OFFLINE)
        assert (await world.outcome(ordered[0])).state is CommandState.SUCCEEDED
        assert len(ordered) == 1
