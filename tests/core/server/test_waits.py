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
