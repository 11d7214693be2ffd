"""The event bus inside an application."""

from __future__ import annotations

import anyio
import pytest

import relaykit.relay
from relaykit.config import AgentConfig, Config
from relaykit.model import BlockDelta, Event, TurnEnded

pytestmark = [pytest.mark.anyio, pytest.mark.parity("SR-11")]


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def until_turns_ended(subscription, count):
    """Return the events until so many turns have ended."""
    heard = []
    with anyio.fail_after(20):
        async for event in subscription:
            assert isinstance(event, Event)
            heard.append(event)
            if sum(isinstance(one.what, TurnEnded) for one in heard) == count:
                return heard
    raise AssertionError("the stream ended")


async def test_applications_subscribe_to_one_agent_or_all_and_go_on_from_a_cursor(tmp_path):
    agents = tuple(
        AgentConfig(id=name, provider="echo", cwd=tmp_path, options={"chunk": 2, "prefix": f"{name}: "})
        for name in ("one", "two")
    )
    async with (
        relaykit.relay.open(Config(home=tmp_path / "home", agents=agents)) as relay,
        relay.subscribe() as all_,
        relay.subscribe(agent="two") as second,
    ):
        for agent in agents:
            accepted = await relay.send(agent.id, "hello")
            await relay.wait(accepted.message.id, seconds=20)
        everything, of_two = await until_turns_ended(all_, 2), await until_turns_ended(second, 1)
        assert {event.agent for event in everything} == {"one", "two"}
        # Of the beginning the first to subscribe may have heard more.
        assert of_two == [event for event in everything if event.agent == "two"][-len(of_two) :]
        text = "".join(event.what.text for event in of_two if isinstance(event.what, BlockDelta))
        assert text == of_two[-1].what.text == "two: hello"
        durable = [event for event in everything if event.cursor]
        half = durable[len(durable) // 2].cursor
        async with relay.subscribe(after=half) as late:
            wanted = [event for event in durable if event.cursor > half]
            ends = sum(isinstance(event.what, TurnEnded) for event in wanted)
            replayed = await until_turns_ended(late, ends)
        assert [event.cursor for event in replayed if event.cursor] == [event.cursor for event in wanted]
