"""JSON-RPC: whatever comes is answered, and never with anything but JSON-RPC."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaykit.server import jsonrpc
from relaykit.server.jsonrpc import Call, RpcError, read, write
from relaykit.server.mcp import McpServer, Tool, ToolResult

pytestmark = pytest.mark.anyio
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
METHODS = st.sampled_from(["initialize", "ping", "tools/list", "tools/call", "notifications/initialized", "x"])
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | VALUES,
        "id": VALUES,
        "method": METHODS | VALUES,
        "params": st.fixed_dictionaries({}, optional={"name": st.just("say") | VALUES, "arguments": VALUES}) | VALUES,
        "result": VALUES,
    },
)


async def say(_caller, arguments):
    return ToolResult(text=f"said {sorted(arguments, key=str)}")


def nobody(_id):
    """Return who calls: the tool here asks nothing of it."""


SERVER = McpServer([Tool(name="say", description="Says it.", schema={"type": "object"}, run=say)])


def check(body):
    """See that a body is empty or answers of JSON-RPC."""
    if not body:
        return
    said = json.loads(body, parse_constant=pytest.fail)
    for answer in said if isinstance(said, list) else [said]:
        assert answer["jsonrpc"] == "2.0"
        assert ("result" in answer) != ("error" in answer)
        assert "id" in answer
        if "error" in answer:
            assert isinstance(answer["error"]["code"], int)
            assert isinstance(answer["error"]["message"], str)


@given(st.binary(max_size=200))
async def test_any_bytes_are_answered(body):
    check(await SERVER.answer(read(body), nobody))


@given(REQUESTS | VALUES | st.lists(REQUESTS, max_size=25))
async def test_any_json_is_answered(said):
    check(await SERVER.answer(read(json.dumps(said).encode()), nobody))


@given(st.text(max_size=8) | st.integers(min_value=-(2**53), max_value=2**53))
async def test_an_answer_bears_the_id_of_its_request(number):
    body = json.dumps({"jsonrpc": "2.0", "id": number, "method": "ping"}).encode()
    assert json.loads(await SERVER.answer(read(body), nobody)) == {"jsonrpc": "2.0", "id": number, "result": {}}


def test_a_request_and_a_notification_are_told_apart():
    both = [{"jsonrpc": "2.0", "id": 0, "method": "m", "params": {"a": 1}}, {"jsonrpc": "2.0", "method": "n"}]
    found = read(json.dumps(both).encode())
    assert found.is_batch
    assert list(found.calls) == [Call(method="m", params={"a": 1}, id=0), Call(method="n", is_notification=True)]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", jsonrpc.PARSE_ERROR),
        (b"\xff", jsonrpc.PARSE_ERROR),
        (b"[" * 100_000, jsonrpc.PARSE_ERROR),
        (b'{"jsonrpc": "2.0", "id": NaN, "method": "m"}', jsonrpc.PARSE_ERROR),
        (b"9" * 5000, jsonrpc.PARSE_ERROR),
        (b'{"jsonrpc": "2.0", "id": 1e999, "method": "m"}', jsonrpc.INVALID_REQUEST),
        (b'{"jsonrpc": "2.0", "id": true, "method": "m"}', jsonrpc.INVALID_REQUEST),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "m"}', jsonrpc.INVALID_REQUEST),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 5}', jsonrpc.INVALID_REQUEST),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "m", "params": [1]}', jsonrpc.INVALID_PARAMS),
        (b"[]", jsonrpc.INVALID_REQUEST),
        (b"[" + b"1," * 20 + b"1]", jsonrpc.INVALID_REQUEST),
    ],
)
def test_what_is_wrong_has_its_code(body, code):
    (error,) = read(body).calls
    assert isinstance(error, RpcError)
    assert error.code == code


async def test_a_notification_is_not_answered_whatever_is_wrong_with_it():
    both = [{"jsonrpc": "2.0", "method": "n", "params": []}, {"jsonrpc": "2.0", "id": 1, "method": "ping"}]
    assert [one["id"] for one in json.loads(await SERVER.answer(read(json.dumps(both).encode()), nobody))] == [1]


def test_an_answer_of_the_clients_is_left_out():
    found = read(b'{"jsonrpc": "2.0", "id": 1, "result": {}}')
    assert list(found.calls) == []
    assert write([], is_batch=found.is_batch) == b""


@pytest.mark.parametrize(
    ("wanted", "got"),
    [("2024-11-05", "2024-11-05"), ("2025-06-18", "2025-06-18"), ("1999-01-01", "2025-11-25"), (5, "2025-11-25")],
)
async def test_the_version_is_negotiated(wanted, got):
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": wanted}}
    result = json.loads(await SERVER.answer(read(json.dumps(body).encode()), nobody))["result"]
    assert result["protocolVersion"] == got
    assert result["capabilities"] == {"tools": {"listChanged": False}}


@pytest.mark.parametrize(
    ("params", "told"),
    [({"name": "no"}, "there are say"), ({}, "there is no tool"), ({"name": "say", "arguments": [1]}, "is an object")],
)
async def test_a_call_that_names_no_tool_is_told_which_there_are(params, told):
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    error = json.loads(await SERVER.answer(read(json.dumps(body).encode()), nobody))["error"]
    assert error["code"] == jsonrpc.INVALID_PARAMS
    assert told in error["message"]
