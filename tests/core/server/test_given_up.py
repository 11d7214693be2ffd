"""Calls whose clients leave, or give them up: an answer that nobody takes is not taken."""

from __future__ import annotations

import json

import anyio
import pytest

from relaykit.testing.scripted import SECONDS

pytestmark = [pytest.mark.anyio, pytest.mark.parity("N-5")]


def call(number, body="well?", wait=40):
    arguments = {"to": "b", "body": body, "wait": wait}
    params = {"name": "send", "arguments": arguments}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


async def post(client, said, **headers):
    return await client("POST", "/mcp", json.dumps(said).encode(), **headers)


async def give_up(client, number):
    params = {"requestId": number, "reason": "the user pressed Escape"}
    answer = await post(client, {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})
    assert (answer.status, answer.body) == (202, b"")


async def ask(edge, answers, said):
    answers.append(await post(edge.client("a"), said))


async def test_the_answer_to_a_call_that_was_given_up_comes_as_a_message(edge):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        a, b, answers = edge.sessions["a"], edge.sessions["b"], []
        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask, edge, answers, call(7))
                submission = await b.submitted()
                await give_up(edge.client("a"), 7)
        await edge.nobody_waits("a")
        b.answer("at last", submission.id)
        a.end(text="cut off")
        assert "at last" in (await a.submitted(2)).text
        assert "no answer yet" in answers[0].json["result"]["content"][0]["text"]


async def test_a_call_is_given_up_by_its_own_token_and_id_alone(edge):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        b, answers = edge.sessions["b"], []
        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask, edge, answers, call(7))
                submission = await b.submitted()
                for client, number in ((edge.client("b"), 7), (edge.person(), 7), (edge.client("a"), "7")):
                    await give_up(client, number)
                await give_up(edge.client("a"), [7])
                b.answer("in time", submission.id)
        assert "in time" in answers[0].json["result"]["content"][0]["text"]


async def test_the_official_client_gives_a_call_up_when_its_time_is_over(edge):
    import httpx2  # noqa: PLC0415 - 0.6 s, which only this test pays for
    from mcp import ClientSession  # noqa: PLC0415
    from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415

    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        a, b, me = edge.sessions["a"], edge.sessions["b"], edge.client("a")
        with anyio.fail_after(SECONDS):
            async with (
                httpx2.AsyncClient(headers={"Authorization": f"Bearer {me.token}"}) as http,
                streamable_http_client(f"{me.url}/mcp", http_client=http) as streams,
                ClientSession(*streams[:2]) as session,
            ):
                await session.initialize()
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(session.call_tool, "send", {"to": "b", "body": "well?", "wait": 40})
                    submission = await b.submitted()
                    tasks.cancel_scope.cancel()
                await edge.nobody_waits("a")
                b.answer("at last", submission.id)
                a.end(text="cut off")
                assert "at last" in (await a.submitted(2)).text
