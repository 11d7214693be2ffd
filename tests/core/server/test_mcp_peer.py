"""The official SDK's client talks to the server; what HTTP asks of it is kept."""

from __future__ import annotations

import json

import anyio
import pytest

from relaykit.testing.scripted import SECONDS

pytestmark = [pytest.mark.anyio, pytest.mark.parity("N-5")]


@pytest.mark.parametrize("mode", ["auto", "legacy", "2026-07-28"])
async def test_the_official_client_lists_and_calls_the_tools(edge, mode):
    import httpx2  # noqa: PLC0415 - 0.6 s, which only this test pays for
    from mcp import Client  # noqa: PLC0415
    from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415

    async with edge.relay() as relay:
        message = await edge.begin(relay, body="hello")
        me = edge.client()
        headers = {"Authorization": f"Bearer {me.token}"}
        with anyio.fail_after(SECONDS):
            async with httpx2.AsyncClient(headers=headers) as http:
                transport = streamable_http_client(f"{me.url}/mcp", http_client=http)
                async with Client(transport, mode=mode) as client:
                    assert client.protocol_version == ("2025-11-25" if mode == "legacy" else "2026-07-28")
                    listed = await client.list_tools()
                    assert [tool.name for tool in listed.tools][:2] == ["send", "reply"]
                    result = await client.call_tool("whoami", {})
                    assert not result.is_error
                    assert json.loads(result.content[0].text)["working_on"][0]["id"] == message.id
                    refused = await client.call_tool("send", {"to": "nobody", "body": "x"})
                    assert refused.is_error
                    assert "nobody" in refused.content[0].text


async def test_there_is_no_stream_and_no_session_to_end(edge):
    async with edge.relay():
        for method in ("GET", "DELETE"):
            answer = await edge.client()(method, "/mcp", Accept="text/event-stream")
            assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_a_notification_is_accepted_and_not_answered(edge):
    async with edge.relay():
        body = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode()
        answer = await edge.client()("POST", "/mcp", body)
        assert (answer.status, answer.body) == (202, b"")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no json", 400),
        (b"[]", 400),
        (b"5", 400),
        (b'{"jsonrpc": "2.0", "method": "ping", "params": []}', 400),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', 200),
    ],
)
async def test_a_body_without_a_call_that_can_be_answered_is_400(edge, body, status):
    async with edge.relay():
        answer = await edge.client()("POST", "/mcp", body)
        assert (answer.status, "error" in answer.json) == (status, True)


async def test_a_batch_is_answered_as_one(edge):
    async with edge.relay():
        body = json.dumps([{"jsonrpc": "2.0", "id": number, "method": "ping"} for number in (1, 2)]).encode()
        answer = await edge.client()("POST", "/mcp", body)
        assert [one["id"] for one in answer.json] == [1, 2]


async def test_another_version_or_another_kind_of_body_is_refused(edge):
    async with edge.relay():
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()
        answer = await edge.client()("POST", "/mcp", body, MCP_Protocol_Version="1999-01-01")
        assert (answer.status, answer.json["id"], answer.json["error"]["code"]) == (400, 1, -32022)
        supported = answer.json["error"]["data"]["supported"]
        assert supported[:2] == ["2026-07-28", "2025-11-25"]
        assert all(version in answer.json["error"]["message"] for version in supported)
        answer = await edge.client()("POST", "/mcp", body, Content_Type="text/plain")
        assert answer.status == 415
