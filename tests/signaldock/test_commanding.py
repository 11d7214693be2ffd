"""Commands that come as structured messages: obeyed for those whom the options trust, messages of all others."""

from __future__ import annotations

import json

import pytest

from relaykit.errors import StoreError
from relaykit.model import CommandKind

pytestmark = [pytest.mark.anyio, pytest.mark.parity("AR-8")]


def command(kind="agent.restart", target="bob", **more):
    return {"commandType": kind, "target": target, "params": {}, **more}


@pytest.mark.parametrize(
    ("said", "kind", "text"),
    [
        (command(), CommandKind.RESTART, ""),
        (command("agent.shutdown"), CommandKind.STOP, ""),
        (command("agent.kill"), CommandKind.KILL, ""),
        (command("clearContext"), CommandKind.CLEAR, ""),
        (command("agent.injectContext", params={"content": " mind the gap "}), CommandKind.INJECT, "mind the gap"),
    ],
)
async def test_a_command_of_someone_trusted_is_obeyed_once_and_is_no_message(bench, said, kind, text):
    async with bench.open(mode="http", commands_from=["alice"]):
        bench.dock.tell(json.dumps(said), stream=False)
        await bench.dock.until(lambda: bench.dock.acked == {"m1"})
    bench.dock.acked.clear()
    async with bench.open(mode="http", commands_from=["alice"]):
        await bench.dock.until(lambda: bench.dock.acked == {"m1"})
    [ordered] = bench.intake.orders
    assert (ordered.agent, ordered.kind, ordered.text, ordered.sender) == ("bob", kind, text, "alice@dock")
    assert bench.bodies == []
    assert f"dock: alice@dock orders: {kind.value} bob" in bench.reports


async def test_it_may_stand_in_the_metadata(bench):
    async with bench.open(mode="http", commands_from=["alice"]):
        bench.dock.tell("please", stream=False, metadata={"command": command()})
        await bench.dock.until(lambda: bench.dock.acked == {"m1"})
    assert [one.kind for one in bench.intake.orders] == [CommandKind.RESTART]


async def test_one_of_anybody_else_is_a_message_that_says_so(bench):
    async with bench.open(mode="http", commands_from=["carol"]):
        bench.dock.tell(json.dumps(command()), stream=False)
        [body] = await bench.arrived(1)
    assert bench.intake.orders == []
    assert body.startswith(json.dumps(command()))
    assert body.endswith("[A command, not taken as one: alice is not in commands_from of transports.dock]")
    assert any("stays a message: alice is not in commands_from" in line for line in bench.reports)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (command("agent.reconnect"), "'agent.reconnect' is none of shutdown,"),
        (command(target="carol"), "its target is not bob"),
        (command("injectContext"), "params.content has to be the text"),
        (command("injectContext", params=[]), "params.content has to be the text"),
    ],
)
async def test_what_cannot_be_obeyed_is_a_message_that_says_why(bench, said, why):
    async with bench.open(mode="http", commands_from=["alice"]):
        bench.dock.tell(json.dumps(said), stream=False)
        [body] = await bench.arrived(1)
    assert f"[A command, not taken as one: {why}" in body
    assert bench.intake.orders == []


@pytest.mark.parametrize("text", ["{", "[1]", '{"commandType": 5}', '{"type": "x"}', "{}", "{" * 100_000])
async def test_what_is_no_command_is_a_message_as_it_stands(bench, text):
    async with bench.open(mode="http", commands_from=["alice"]):
        bench.dock.tell(text, stream=False)
        assert await bench.arrived(1) == [text]


async def test_a_command_that_cannot_be_stored_now_is_tried_again(bench):
    bench.intake.refusal = StoreError("the disk is gone")
    async with bench.open(mode="http", commands_from=["alice"]):
        bench.dock.tell(json.dumps(command()), stream=False)
        await bench.dock.until(lambda: bench.intake.tried == 1)
        assert bench.dock.acked == set()
        bench.intake.refusal = None
        await bench.clock.advance(5)
        await bench.dock.until(lambda: bench.dock.acked == {"m1"})
    assert len(bench.intake.orders) == 1
