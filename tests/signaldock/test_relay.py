"""The transport in a whole relay: from a server through an agent and back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import relaykit.relay
import relaykit_signaldock
from relaykit.config.records import AgentConfig, Config, UseConfig
from relaykit.model import State
from relaykit.registry import Registry
from relaykit.relay import Components, Relay
from relaykit.testing.dock import Trouble, error, scripted_dock
from relaykit.testing.harness import World, open_world

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        yield world


@asynccontextmanager
async def relay(world, bench, **options) -> AsyncIterator[Relay]:
    registry = Registry()
    registry.register(relaykit_signaldock, "signaldock")
    use = UseConfig(name="dock", use="signaldock", options={"timeout_seconds": 5, "heartbeat_seconds": 0, **options})
    agent = AgentConfig(id="bob", provider="scripted", cwd=world.home)
    config = Config(home=world.home, agents=(agent,), transports=(use,), routers=(), drain_seconds=0.05)
    components = Components(
        clock=world.clock,
        mailbox=world.mailbox,
        sessions=world.sessions,
        credentials=bench.credentials,
        providers={"scripted": world.provider.component()},
    )
    async with relaykit.relay.open(
        config, components=components, registry=registry, report=world.reports.append
    ) as running:
        yield running


@pytest.mark.parity("CR-2", "CR-7")
async def test_a_message_of_the_server_is_answered_into_its_conversation_and_the_trace_says_who_took_it(world, bench):
    async with relay(world, bench):
        await bench.dock.until(lambda: bench.dock.open_streams == 1)
        bench.dock.tell("Is it safe?")
        session = await world.provider.opened()
        submission = await session.submitted(1)
        session.answer("It is.", submission.id)
        await bench.dock.until(lambda: len(bench.dock.posted) == 1)
        [row] = bench.dock.posted
        trace = await world.ended("m1")
        reply = await world.ended(trace.replies[0].id)
    assert {name: row[name] for name in ("content", "toAgentId", "conversationId", "replyTo")} == {
        "content": "It is.",
        "toAgentId": "alice",
        "conversationId": "c-alice",
        "replyTo": "m1",
    }
    assert trace.message.account == "dock/bob"
    assert trace.deliveries[0].state is State.ANSWERED
    assert reply.deliveries[0].reason == f"{bench.dock.url} took it for alice as s1"


@pytest.mark.parity("AR-8")
async def test_a_command_of_someone_trusted_reaches_the_session(world, bench):
    said = {"commandType": "agent.injectContext", "target": "bob", "params": {"content": "Mind the gap."}}
    async with relay(world, bench, commands_from=["alice"]):
        session = await world.provider.opened()
        await bench.dock.until(lambda: bench.dock.open_streams == 1)
        bench.dock.tell(json.dumps(said))
        submission = await session.submitted(1)
        assert submission.text == "Mind the gap."
    assert await world.mailbox.inbox("bob") == []


async def test_what_the_server_refuses_for_good_ends_with_its_reason_and_what_it_cannot_take_now_is_tried_again(
    world, bench
):
    bench.dock.on("POST /messages", error(404, "E_NOT_FOUND_AGENT", "no such agent"), error(503, Retry_After="9"))
    async with relay(world, bench) as running:
        refused = await running.send("nobody@dock", "hello")
        trace = await world.ended(refused.message.id)
        assert trace.deliveries[0].state is State.REFUSED
        assert "no such agent" in trace.deliveries[0].reason
        accepted = await running.send("alice@dock", "hello")
        await bench.dock.until(lambda: len(bench.dock.said("POST /messages")) == 2)
        await world.clock.advance(8)
        assert bench.dock.posted == []
        await world.clock.advance(1)
        trace = await world.ended(accepted.message.id)
    assert trace.deliveries[0].state is State.ACKNOWLEDGED
    assert any(
        step.note.startswith("not taken: POST /messages: the server answered 503") for step in trace.deliveries[0].steps
    )


async def test_a_restart_delivers_nothing_twice_and_loses_nothing(world, bench):
    bench.dock.on("POST /messages/ack", Trouble.DROP)
    bench.dock.tell("one", stream=False)
    async with relay(world, bench, mode="http"):
        await bench.dock.until(lambda: bool(bench.dock.said("POST /messages/ack")))
    async with relay(world, bench, mode="http"):
        await bench.dock.until(lambda: "m1" in bench.dock.acked)
        bench.dock.tell("two", stream=False)
        await world.clock.advance(5)
        await bench.dock.until(lambda: "m2" in bench.dock.acked)
    waiting = [item.message.body for item in await world.mailbox.inbox("bob")]
    assert sorted(waiting) == ["one", "two"]


async def test_a_trouble_that_nothing_else_would_tell_reaches_whoever_runs_the_relay(world, bench):
    async with relay(world, bench):
        await bench.dock.until(lambda: bool(bench.dock.said("GET /messages/peek")))
        bench.dock.keys = set()
        bench.dock.cut_streams()
        for _ in range(3):
            await world.clock.advance(60)
            await bench.dock.until(lambda: True)
    assert any(line.startswith("dock: ") and "refuses the key" in line for line in world.reports)


def test_the_server_is_one_that_a_plugin_author_can_use():
    assert scripted_dock.__module__ == "relaykit.testing.dock"
