"""The revision without a handshake: what each request has to say of itself, and what is answered to those that do not."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from relaykit.server import modern
from relaykit.server.jsonrpc import read
from relaykit.server.mcp import McpServer, Tool, ToolResult

pytestmark = [pytest.mark.anyio, pytest.mark.parity("N-5")]

META = {
    "io.modelcontextprotocol/protocolVersion": modern.VERSION,
    "io.modelcontextprotocol/clientCapabilities": {},
}


async def say(_caller, arguments):
    return ToolResult(text=f"said {arguments['word']}")


def nobody(_id):
    """Return who calls: the tool here asks nothing of it."""


SERVER = McpServer(
    [Tool(name=name, description="Says it.", schema={"type": "object"}, run=say) for name in ("say", "sagöse")]
)


def request(method, *, meta=META, **params):
    return json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": {**params, "_meta": meta}}).encode()


def headers(method, **more):
    given = {"mcp-protocol-version": modern.VERSION, "mcp-method": method}
    return {**given, **{name.replace("_", "-"): value for name, value in more.items()}}


async def ask(method, given=None, *, meta=META, **params):
    """Return the status and what is answered to a request with its own headers, or others."""
    reply = await modern.answer(SERVER, read(request(method, meta=meta, **params)), given or headers(method), nobody)
    return reply.status, json.loads(reply.body)


async def test_a_client_learns_in_one_answer_what_there_is():
    status, answer = await ask("server/discover")
    found = answer["result"]
    assert (status, answer["id"], found["resultType"]) == (200, 7, "complete")
    assert found["supportedVersions"][0] == modern.VERSION
    assert "2025-11-25" in found["supportedVersions"]
    assert found["capabilities"] == {"tools": {}}
    assert found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "relaykit"


async def test_the_list_of_tools_says_how_long_it_is_good():
    status, answer = await ask("tools/list")
    found = answer["result"]
    assert (status, [tool["name"] for tool in found["tools"]]) == (200, ["say", "sagöse"])
    assert (found["cacheScope"], found["ttlMs"] > 0, found["resultType"]) == ("private", True, "complete")


@pytest.mark.parametrize(
    ("name", "header"),
    [("say", "say"), ("sagöse", f"=?base64?{b64encode('sagöse'.encode()).decode()}?=")],
)
async def test_a_tool_is_called_by_the_name_in_body_and_header(name, header):
    given = headers("tools/call", mcp_name=header)
    status, answer = await ask("tools/call", given, name=name, arguments={"word": "yes"})
    assert (status, answer["result"]["content"][0]["text"]) == (200, "said yes")
    assert (answer["result"]["isError"], answer["result"]["resultType"]) == (False, "complete")


@pytest.mark.parametrize(
    "given",
    [
        {"mcp-protocol-version": modern.VERSION},
        headers("tools/list", mcp_name="say"),
        headers("tools/call"),
        headers("tools/call", mcp_name="other"),
        headers("tools/call", mcp_name="=?base64?!?="),
        {**headers("tools/call", mcp_name="say"), "mcp-protocol-version": "2025-11-25"},
    ],
)
async def test_headers_that_say_something_else_are_refused(given):
    status, answer = await ask("tools/call", given, name="say", arguments={"word": "yes"})
    assert (status, answer["id"], answer["error"]["code"]) == (400, 7, modern.HEADER_MISMATCH)


@pytest.mark.parametrize(
    "meta",
    [{}, None, 5, {"io.modelcontextprotocol/protocolVersion": modern.VERSION}, {**META, next(reversed(META)): 1}],
)
async def test_a_request_that_does_not_say_what_its_client_can_is_refused(meta):
    status, answer = await ask("tools/list", meta=meta)
    assert (status, answer["error"]["code"]) == (400, -32602)


async def test_a_method_that_is_not_there_is_not_found():
    for method in ("ping", "resources/list", "nothing"):
        status, answer = await ask(method)
        assert (status, answer["id"], answer["error"]["code"]) == (404, 7, -32601)


async def test_a_tool_that_is_not_there_is_an_error_of_the_call():
    status, answer = await ask("tools/call", headers("tools/call", mcp_name="no"), name="no")
    assert (status, answer["error"]["code"]) == (200, -32602)
    assert "say" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"no json", 400),
        (b"[]", 400),
        (b"[" + request("tools/list") + b"]", 400),
        (b'{"jsonrpc": "2.0", "id": 1, "result": {}}', 400),
        (b'{"jsonrpc": "2.0", "method": "notifications/cancelled"}', 202),
    ],
)
async def test_a_body_is_one_request_or_a_notification(body, status):
    reply = await modern.answer(SERVER, read(body), headers("tools/list"), nobody)
    assert (reply.status, bool(reply.body)) == (status, status == 400)


async def test_over_http_the_version_in_the_header_decides(edge):
    async with edge.relay():
        call = {"MCP_Protocol_Version": modern.VERSION, "Mcp_Method": "tools/list"}
        answer = await edge.client()("POST", "/mcp", request("tools/list"), **call)
        assert (answer.status, answer.json["result"]["resultType"]) == (200, "complete")
        answer = await edge.client()("POST", "/mcp", request("tools/list"), MCP_Protocol_Version=modern.VERSION)
        assert (answer.status, answer.json["error"]["code"]) == (400, modern.HEADER_MISMATCH)
        answer = await edge.client()("POST", "/mcp", request("tools/list"), MCP_Protocol_Version="2025-11-25")
        assert (answer.status, "resultType" in answer.json["result"]) == (200, False)


async def test_a_handshake_is_answered_whatever_the_header_says(edge):
    async with edge.relay():
        body = request("initialize", protocolVersion=modern.VERSION)
        for version in (modern.VERSION, "2099-01-01"):
            answer = await edge.client()("POST", "/mcp", body, MCP_Protocol_Version=version)
            assert (answer.status, answer.json["result"]["protocolVersion"]) == (200, "2025-11-25")


async def test_a_handshake_in_a_batch_lets_no_version_in(edge):
    async with edge.relay():
        body = b"[" + request("initialize") + b"," + request("tools/list") + b"]"
        answer = await edge.client()("POST", "/mcp", body, MCP_Protocol_Version="2099-01-01")
        assert (answer.status, answer.json["error"]["code"]) == (400, modern.UNSUPPORTED_VERSION)
