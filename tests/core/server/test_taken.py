"""Answers that were sent, and whether the program took them: where its session tells, that counts."""

from __future__ import annotations

import json

import anyio
import pytest

from relaykit.model import State
from relaykit.plugin import ToolUses
from relaykit.testing.scripted import SECONDS

pytestmark = [pytest.mark.anyio, pytest.mark.parity("N-5")]
USE = "call_1"


async def asked(edge, relay):
    """A session whose use of a tool is under way is sent the answer that the tool waited for; return its id."""
    await edge.begin(relay, "a")
    b, replies = edge.sessions["b"], []
    params = {"name": "send", "arguments": {"to": "b", "body": "well?", "wait": 40}}
    said = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {**params, "_meta": {"n": 1, "id": USE}}}

    async def ask():
        answer = await edge.client("a")("POST", "/mcp", json.dumps(said).encode())
        replies.extend(json.loads(answer.json["result"]["content"][0]["text"])["replies"])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        b.answer("looks good", (await b.submitted()).id)
    return replies[0]["id"]


async def state(edge, message):
    (delivery,) = (await edge.world.mailbox.trace(message)).deliveries
    return delivery.state


async def test_an_answer_was_taken_once_the_session_says_so(edge):
    async with edge.relay("a", "b") as relay:
        a = edge.sessions["a"]
        uses = a.request.endpoint.uses
        with anyio.fail_after(SECONDS):
            uses.begin("another")
            uses.begin(USE)
            reply = await asked(edge, relay)
            uses.end("another", taken=True)
            assert await state(edge, reply) is State.QUEUED
            uses.end(USE, taken=True)
            a.end(text="b likes it")  # told with it, as to a relay that was held up
            (delivery,) = (await edge.world.ended(reply)).deliveries
            assert [message.body for message in await edge.world.received(1)] == ["b likes it"]
    assert (delivery.state, delivery.reason) == (State.ACKNOWLEDGED, "shown to the wait")
    assert len(a.submissions) == 1


@pytest.mark.parametrize("over", [lambda uses: uses.end(USE, taken=False), ToolUses.drop])
async def test_one_that_was_not_comes_as_a_message(edge, over):
    async with edge.relay("a", "b") as relay:
        a = edge.sessions["a"]
        with anyio.fail_after(SECONDS):
            a.request.endpoint.uses.begin(USE)
            await asked(edge, relay)
            a.end(text="cut off")
            over(a.request.endpoint.uses)
            assert "looks good" in (await a.submitted(2)).text


async def test_nor_was_one_of_which_nobody_had_said_anything_when_the_relay_stopped(edge):
    with anyio.fail_after(SECONDS):
        async with edge.relay("a", "b") as relay:
            edge.sessions["a"].request.endpoint.uses.begin(USE)
            reply = await asked(edge, relay)
        assert await state(edge, reply) is State.QUEUED


async def test_where_the_session_says_nothing_of_it_an_answer_that_was_sent_was_taken(edge):
    async with edge.relay("a", "b") as relay:
        with anyio.fail_after(SECONDS):
            edge.sessions["a"].request.endpoint.uses.begin("another")
            (delivery,) = (await edge.world.ended(await asked(edge, relay))).deliveries
    assert delivery.state is State.ACKNOWLEDGED


async def test_one_whose_use_was_over_before_it_was_sent_was_not_taken(edge):
    async with edge.relay("a", "b") as relay:
        a = edge.sessions["a"]
        a.request.endpoint.uses.begin(USE)
        a.request.endpoint.uses.drop()  # the client's hanging up may be heard only later
        with anyio.fail_after(SECONDS):
            await asked(edge, relay)
            a.end(text="cut off")
            assert "looks good" in (await a.submitted(2)).text


async def test_a_use_ends_once_and_one_that_never_began_is_passed_over():
    uses = ToolUses()
    uses.end("unknown", taken=False)
    assert await uses.taken(["unknown"])
    uses.begin("one")
    uses.end("one", taken=False)
    uses.end("one", taken=True)
    assert not await uses.taken(["one"])


async def test_of_uses_the_last_thousand_are_remembered():
    uses = ToolUses()
    for number in range(1001):
        uses.begin(str(number))
    uses.drop()
    assert [await uses.taken([name]) for name in ("0", "1", "1000")] == [True, False, False]
