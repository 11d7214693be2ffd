"""How long ``send`` waits, what it shows, and what counts as shown."""

from __future__ import annotations

import anyio
import pytest

from relaykit.mailbox.inboxes import enroll, take
from relaykit.model import Agent
from relaykit.testing.scripted import SECONDS

pytestmark = [pytest.mark.anyio, pytest.mark.parity("N-5")]
READER = Agent(id="reader", provider="dock", cwd="", reads_inbox=True)


async def waits_for(edge, tasks, to, seconds, answers):
    """Have a send wait; return its message once the recipient has it."""

    async def ask():
        answers.append(await edge.client("a").tool("send", to=to, body="well?", wait=seconds))

    tasks.start_soon(ask)
    return (await edge.world.received(1, to))[0]


async def test_a_wait_goes_on_after_an_agent_took_the_message_from_its_inbox(edge):
    async with edge.relay("a") as relay:
        await edge.world.mailbox._run(enroll, READER)
        await edge.begin(relay, "a")
        answers = []
        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                message = await waits_for(edge, tasks, "reader", 20, answers)
                await edge.world.mailbox._run(take, "reader", [message.id], "read")
                await edge.world.ended(message.id)
                await edge.waiting("a", 1)
                await edge.world.mailbox.answer("reader", message.id, "my answer", id="the answer")
    assert [one["body"] for one in answers[0]["replies"]] == ["my answer"]


async def test_a_wait_that_is_over_says_that_the_message_was_taken_and_not_answered(edge):
    answers = []
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks, edge.relay("a") as relay:
            await edge.world.mailbox._run(enroll, READER)
            await edge.begin(relay, "a")
            message = await waits_for(edge, tasks, "reader", 50, answers)
            await edge.world.mailbox._run(take, "reader", [message.id], "read")
    assert answers[0]["note"].startswith("reader took it, and has not answered; no answer yet")
    assert answers[0]["deliveries"] == [{"to": "reader", "state": "acknowledged", "reason": "read"}]


LONG = "x" * 59_990 + "VERDICT: NO"


async def test_an_answer_that_was_not_shown_whole_comes_as_a_message_of_its_own(edge):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        a, b = edge.sessions["a"], edge.sessions["b"]
        answers = []

        async def ask():
            answers.append(await edge.client("a").tool("send", to="b", body="well?", wait=20))

        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask)
                b.answer(LONG, (await b.submitted()).id)
        (reply,) = answers[0]["replies"]
        assert reply["body"] == LONG[:40_000]
        assert "a message of its own" in answers[0]["note"]
        await edge.nobody_waits("a")
        a.end(text="cut off")
        assert LONG in (await a.submitted(2)).text


async def test_a_long_message_is_read_to_its_end_by_offsets(edge):
    async with edge.relay("a", "b") as relay:
        message = (await relay.send("a", LONG)).message
        client = edge.client("a")
        (first,) = (await client.tool("thread", id=message.id))["messages"]
        assert first["cut"].endswith("thread with this id and offset 40000 goes on")
        (rest,) = (await client.tool("thread", id=message.id, offset=40_000))["messages"]
        assert (first["body"] + rest["body"], "cut" in rest) == (LONG, False)
        for wanted, name in ((message.id, "b"), (message.id[:8], "a"), ("nothing", "a")):
            told = await edge.client(name).refused("thread", id=wanted, offset=0)
            assert told == f"thread: you sent or got no message {wanted!r}; offset wants the whole id of one"
