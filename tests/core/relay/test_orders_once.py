"""A command is carried out once."""

from __future__ import annotations

import pytest

from relaykit.model import Command, CommandKind, CommandState, StatusKind
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
