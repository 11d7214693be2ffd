"""An agent's session on its way to a person, where something goes wrong on it."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import asdict

from relaykit.errors import ProviderError
from relaykit.model import Command, CommandKind, CommandState, Fault, StatusKind, Whose
from relaykit.plugin import Terminal
from relaykit.relay import Relay
from relaykit.relay.attaching import holder_path, this_process
from relaykit.testing.harness import World
from relaykit.testing.scripted import ScriptedSession

pytestmark = pytest.mark.anyio


async def attach(world: World, relay: Relay) -> Command:
    """Have this process join agent a, and return what came of it."""
    await world.status("a", StatusKind.IDLE)
    wanted = json.dumps(asdict(this_process(world.clock.boot_id())))
    return await world.outcome(await relay.order("a", CommandKind.ATTACH, wanted))


async def answers(world: World, relay: Relay, agent: str, count: int) -> None:
    accepted = await relay.send(agent, "hello")
    session = await world.provider.opened(count)
    session.answer("hi", (await session.submitted()).id)
    await world.ended(accepted.message.id)


async def test_a_provider_that_cannot_say_what_joins_its_session_fails_the_order_and_ends_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def terminal(_: object) -> Terminal:
        raise ProviderError(Fault(whose=Whose.AGENT, code="missing", message="the program is not found"))

    monkeypatch.setattr(ScriptedSession, "terminal", terminal, raising=False)
    async with world.relay() as relay:
        done = await attach(world, relay)
        await answers(world, relay, "a", 1)
    assert done.state is CommandState.FAILED
    assert "the program is not found" in done.result
    assert any("the program is not found" in line for line in world.reports)


async def test_where_it_cannot_be_written_down_who_has_a_session_it_is_not_given_away_and_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedSession, "terminal", lambda _: Terminal(argv=("agent",), cwd=world.home), raising=False)
    (holder_path(world.home, "a").with_suffix(".new") / "in the way").mkdir(parents=True)
    async with world.relay(world.agent("a"), world.agent("b")) as relay:
        await world.provider.opened(2)
        done = await attach(world, relay)
        await answers(world, relay, "a", 3)
        await answers(world, relay, "b", 2)
    assert done.state is CommandState.FAILED
    assert "cannot be written down" in done.result
    assert any("cannot be written down" in line for line in world.reports)


async def test_an_agent_of_which_it_cannot_be_told_who_has_its_session_rests_and_ends_nobody(world: World) -> None:
    path = holder_path(world.home, "a")
    path.mkdir(parents=True)
    async with world.relay(world.agent("a"), world.agent("b")) as relay:
        await world.status("a", StatusKind.ERROR, "paused")
        await answers(world, relay, "b", 1)
        wanted = json.dumps(asdict(this_process(world.clock.boot_id())))
        done = await world.outcome(await relay.order("a", CommandKind.ATTACH, wanted))
        path.rmdir()
        await world.clock.advance(5)
        await answers(world, relay, "a", 2)
    assert f"{path} says who has its session, and cannot be read" in done.result
    assert [line for line in world.reports if str(path) in line]


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}"])
async def test_a_file_that_names_nobody_keeps_no_session(world: World, content: bytes) -> None:
    path = holder_path(world.home, "a")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    async with world.relay() as relay:
        await answers(world, relay, "a", 1)
    assert not path.exists()
