"""Calls whose clients leave, or give them up: an answer that nobody takes is not taken."""

from __future__ import annotations

import json

import anyio
import pytest

from relaykit.server import visits
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
                for other in ([7], 7.0, True):
                    await give_up(edge.client("a"), other)
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


async def test_what_a_batch_was_answered_counts_as_taken_only_by_a_client_that_stayed(edge):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        a, b, answers = edge.sessions["a"], edge.sessions["b"], []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, edge, answers, [call(1), call(2)])
            b.answer("first answer", (await b.submitted()).id)
            second = await b.submitted(2)
            tasks.cancel_scope.cancel()
        await edge.nobody_waits("a")
        b.answer("second answer", second.id)
        a.end(text="cut off")
        assert "first answer" in (await a.submitted(2)).text


async def test_the_calls_of_a_batch_share_the_time_that_one_may_wait(edge, monkeypatch):
    monkeypatch.setattr(visits, "MAX_WAIT", 0.1)
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        with anyio.fail_after(SECONDS):
            answer = await post(edge.client("a"), [call(number) for number in (1, 2, 3)])
        assert ["no answer yet" in one["result"]["content"][0]["text"] for one in answer.json] == [True] * 3


async def test_each_call_of_a_batch_counts_as_a_request(edge):
    async with edge.relay("a"):
        batch = [{"jsonrpc": "2.0", "id": number, "method": "ping"} for number in range(20)]
        answers = [await post(edge.client("a"), batch) for _ in range(6)]
        assert (answers[0].status, answers[-1].status) == (200, 429)
        assert int(answers[-1].headers["retry-after"]) >= 1


@pytest.mark.parametrize(("version", "status"), [("2025-03-26", 200), ("2025-06-18", 400), ("2025-11-25", 400)])
async def test_a_version_without_batches_has_none(edge, version, status):
    async with edge.relay("a"):
        answer = await post(
            edge.client("a"), [{"jsonrpc": "2.0", "id": 1, "method": "ping"}], MCP_Protocol_Version=version
        )
        assert answer.status == status
