"""How long ``send`` waits, what it shows, and what counts as shown."""

from __future__ import annotations

import anyio
import pytest

from relaykit.mailbox.inboxes import enroll, take
from relaykit.model import Agent, State, TaskState
from relaykit.testing.scripted import SECONDS

pytestmark = [pytest.mark.anyio, pytest.mark.parity("N-5")]
WAITS = 8
"""Of an agent's calls at once."""
READER = Agent(id="reader", provider="dock", cwd="", reads_inbox=True)


async def waits_for(edge, tasks, to, seconds, answers):
    """Have a send wait; return its message once the recipient has it."""

    async def ask():
        answers.append(await edge.client("a").tool("send", to=to, body="well?", wait=seconds))

    tasks.start_soon(ask)
    return (await edge.world.received(1, to))[0]


@pytest.mark.parity("AR-6")
async def test_a_waiting_send_returns_the_answer_which_then_begins_no_turn(edge):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        a, b = edge.sessions["a"], edge.sessions["b"]
        answers = []

        async def ask():
            answers.append(await edge.client("a").tool("send", to="b", body="well?", wait=20, task="look"))

        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask)
                b.answer("looks good", (await b.submitted()).id)
        (answer,) = answers
        assert [(one["from"], one["body"]) for one in answer["replies"]] == [("b", "looks good")]
        reply = answer["replies"][0]["id"]
        (delivery,) = (await edge.world.ended(reply)).deliveries
        assert (delivery.state, delivery.reason) == (State.ACKNOWLEDGED, "shown to the wait")
        assert (await edge.world.mailbox.task(answer["id"], "b")).state is TaskState.DONE
        a.end(text="b likes it")
        assert [message.body for message in await edge.world.received(1)] == ["b likes it"]
        assert len(a.submissions) == 1


async def test_a_wait_that_is_over_says_not_yet_and_the_answer_comes_as_a_message(edge):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        a, b = edge.sessions["a"], edge.sessions["b"]
        answer = await edge.client("a").tool("send", to="b", body="well?", wait=0.05)
        assert "no answer yet" in answer["note"]
        assert "replies" not in answer
        b.answer("at last", (await b.submitted()).id)
        await edge.world.ended(answer["id"])
        a.end(text="I asked")
        assert "at last" in (await a.submitted(2)).text


async def test_a_client_that_leaves_while_it_waits_gets_the_answer_as_a_message(edge):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        a, b = edge.sessions["a"], edge.sessions["b"]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: edge.client("a").tool("send", to="b", body="well?", wait=50))
            submission = await b.submitted()
            tasks.cancel_scope.cancel()
        await edge.nobody_waits("a")
        b.answer("at last", submission.id)
        a.end(text="cut off")
        assert "at last" in (await a.submitted(2)).text


async def test_a_wait_ends_when_the_relay_stops(edge):
    answers = []
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks, edge.relay("a", "b") as relay:
            await edge.begin(relay, "a")
            client = edge.client("a")

            async def ask():
                answers.append(await client.tool("send", to="b", body="well?", wait=50))

            tasks.start_soon(ask)
            await edge.sessions["b"].submitted()
    assert "no answer yet" in answers[0]["note"]


async def test_a_circle_of_waits_is_refused(edge):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        b = edge.sessions["b"]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: edge.client("a").tool("send", to="b", body="well?", wait=50))
            b.start((await b.submitted()).id)
            told = await edge.client("b").refused("send", to="a", body="you first", wait=50)
            tasks.cancel_scope.cancel()
    assert "waiting for it would never end" in told


async def test_of_a_group_the_first_answer_or_all_are_waited_for(edge):
    tagged = {"tags": ("x",)}
    async with edge.relay("a", "b", "c", b=tagged, c=tagged) as relay:
        await edge.begin(relay, "a")
        for every, expected in ((False, ["b"]), (True, ["b", "c"])):
            answers = []

            async def ask(every=every, answers=answers):
                answers.append(await edge.client("a").tool("send", to="tag:x", body="well?", wait=20, all=every))

            with anyio.fail_after(SECONDS):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(ask)
                    for name in ("b", "c"):
                        session = edge.sessions[name]
                        turn = (await session.submitted(1 + every)).id
                        if name == "b" or every:
                            session.answer(f"{name} says", turn)
                        else:
                            later = turn
            assert [one["from"] for one in answers[0]["replies"]] == expected
            if not every:
                edge.sessions["c"].answer("too late", later)
                await edge.world.ended(answers[0]["id"])


async def test_only_so_many_calls_wait_at_once(edge):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(lambda: edge.client("a").tool("send", to="b", body="well?", wait=50))
            await edge.waiting("a", 8)
            assert "wait already" in await edge.client("a").refused("send", to="b", body="well?", wait=50)
            tasks.cancel_scope.cancel()


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


async def test_a_call_that_may_not_wait_sends_nothing(edge):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        client, told = edge.client("a"), []

        async def ask():
            told.append(await client.tool("send", to="user", body="well?", wait=50))

        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                for _ in range(WAITS):
                    tasks.start_soon(ask)
                await edge.world.received(WAITS)
                assert "too many of your calls wait" in await client.refused("send", to="user", body="more", wait=50)
                tasks.cancel_scope.cancel()
        assert [item.message.body for item in await edge.world.mailbox.inbox("user")] == ["well?"] * WAITS


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
