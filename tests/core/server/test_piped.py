"""The tools over a program's own pipe: what ``/mcp`` does, and no web server before somebody comes."""

from __future__ import annotations

import json
import threading

import anyio
import pytest
from msgspec.structs import replace

from relaykit.errors import StoreFullError
from relaykit.server import edge as edge_module
from relaykit.server import piped
from relaykit.server.jsonrpc import INTERNAL_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND
from relaykit.server.mcp import Tool
from relaykit.testing.scripted import SECONDS

pytestmark = [pytest.mark.anyio, pytest.mark.parity("N-5")]


def message(method, number=1, **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def send(number=1, **arguments):
    return message("tools/call", number, name="send", arguments={"to": "b", "body": "well?", "wait": 40, **arguments})


async def say(edge, said, name="a"):
    async with edge.sessions[name].request.endpoint.tools(said) as answer:
        return answer


async def say_into(edge, said, answers):
    answers.append(await say(edge, said))


async def told_in_time(edge):
    """Return what a waiting call is told once b has answered."""
    b, answers = edge.sessions["b"], []
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(say_into, edge, send(), answers)
            b.answer("in time", (await b.submitted()).id)
    return answers[0]["result"]["content"][0]["text"]


@pytest.mark.parametrize(
    "said",
    [
        message("initialize", protocolVersion="2025-06-18"),
        message("ping", "seven"),
        message("tools/list", 0),
        message("tools/call", name="whoami", arguments={}),
        message("tools/call", name="send", arguments={"to": "nobody", "body": "x"}),
        message("tools/call", name="nothing"),
        message("resources/list"),
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": "x"},
        {"jsonrpc": "1.0", "id": 1, "method": "ping"},
        {},
    ],
)
async def test_the_same_is_answered_as_over_http(edge, said):
    async with edge.relay("a", "b"):
        over_http = await edge.client("a")("POST", "/mcp", json.dumps(said).encode())
        assert await say(edge, said) == over_http.json


@pytest.mark.parametrize("method", ["notifications/initialized", "notifications/unheard-of"])
async def test_a_notification_and_an_answer_to_nothing_have_no_answer(edge, method):
    async with edge.relay():
        assert await say(edge, {"jsonrpc": "2.0", "method": method}) is None
        assert await say(edge, {"jsonrpc": "2.0", "id": 5, "result": {}}) is None


async def test_who_calls_is_the_session_and_a_call_that_waits_has_its_answer(edge):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        told = await say(edge, message("tools/call", name="whoami"))
        assert json.loads(told["result"]["content"][0]["text"])["name"] == "a"
        assert "in time" in await told_in_time(edge)
        await edge.nobody_waits("a")


@pytest.mark.parametrize("given_up", ["by its program", "by a message"])
async def test_the_answer_to_a_call_that_was_given_up_comes_as_a_message(edge, given_up):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        a, b = edge.sessions["a"], edge.sessions["b"]
        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(say, edge, send(7))
                submission = await b.submitted()
                if given_up == "by its program":
                    tasks.cancel_scope.cancel()
                else:
                    cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
                    assert await say(edge, cancelled) is None
            await edge.nobody_waits("a")
            b.answer("at last", submission.id)
            a.end(text="cut off")
            assert "at last" in (await a.submitted(2)).text


async def test_an_answer_that_could_not_be_handed_over_comes_as_a_message(edge):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        a, b = edge.sessions["a"], edge.sessions["b"]

        async def call():
            with pytest.raises(OSError, match="broken pipe"):
                async with a.request.endpoint.tools(send()):
                    raise OSError("broken pipe")

        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call)
                b.answer("at last", (await b.submitted()).id)
            a.end(text="cut off")
            assert "at last" in (await a.submitted(2)).text


@pytest.mark.parametrize("operation", ["acknowledge", "end_wait"])
async def test_a_store_that_does_not_take_what_follows_an_answer_is_told_and_ends_no_session(
    edge, monkeypatch, operation
):
    async def full(*_):
        raise StoreFullError("the disk is full")

    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        monkeypatch.setattr(edge.world.mailbox, operation, full)
        assert "in time" in await told_in_time(edge)
        monkeypatch.undo()
    (told,) = [line for line in edge.world.reports if line.startswith("a: ")]
    assert told == "a: what follows the answer of a tool failed: StoreFullError: the disk is full"


async def test_so_many_calls_at_once_and_no_more(edge):
    async with edge.relay():
        answers = [await say(edge, message("ping")) for _ in range(70)]
        assert answers[0]["result"] == {}
        assert (answers[-1]["id"], answers[-1]["error"]["code"]) == (1, INVALID_REQUEST)
        assert "too many calls" in answers[-1]["error"]["message"]
        assert await say(edge, {"jsonrpc": "2.0", "method": "notifications/initialized"}) is None


async def test_a_tool_that_fails_is_told_and_ends_no_session(edge, monkeypatch):
    async def fail(_desk, _arguments):
        raise ValueError("nobody thought of this")

    broken = Tool(name="broken", description="", schema={}, run=fail)
    monkeypatch.setattr(piped, "TOOLS", (broken,))
    async with edge.relay():
        answer = await say(edge, message("tools/call", name="broken"))
        assert (answer["error"]["code"], answer["id"]) == (INTERNAL_ERROR, 1)
        assert (await say(edge, message("nothing")))["error"]["code"] == METHOD_NOT_FOUND
    assert edge.world.reports == ["a: a tool failed: ValueError: nobody thought of this"]


@pytest.fixture
def imported(monkeypatch):
    """Set once the web server is imported."""
    event, really = threading.Event(), edge_module._server

    def server():
        event.set()
        return really()

    monkeypatch.setattr(edge_module, "_server", server)
    return event


@pytest.mark.parametrize("listen", ["auto", "127.0.0.1:0"])
async def test_no_web_server_is_imported_before_somebody_comes(edge, imported, listen):
    edge.capabilities = replace(edge.capabilities, piped_tools=True)
    async with edge.relay(listen=listen):
        assert (await say(edge, message("ping")))["result"] == {}
        assert not imported.is_set()
        assert (await edge.client()("GET", "/health")).status == 200
        assert imported.is_set()


async def test_where_an_agent_comes_for_its_tools_the_web_server_is_imported_meanwhile(edge, imported):
    async with edge.relay():
        assert await anyio.to_thread.run_sync(imported.wait, SECONDS)
