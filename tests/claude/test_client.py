"""The connection to a running program, which here is one that says back what it hears."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from relaykit.errors import ProviderError
from relaykit.plugin import Child
from relaykit.relay.children.processes import RelayProcesses
from relaykit_claude.client import Client, Heard
from relaykit_claude.protocol import Told
from relaykit_claude.toolcalls import ToolCalls

pytestmark = pytest.mark.anyio

SECONDS = 20.0
LONG = "x" * 300_000
"""More than a pipe holds."""


async def test_what_is_said_goes_out_whole_and_in_order_also_where_the_pipe_is_full(tmp_path: Path) -> None:
    said = ["one", LONG, "two", LONG, "three"]
    heard: list[tuple[object, object]] = []
    all_heard = anyio.Event()

    def hear(message: Heard) -> None:
        assert isinstance(message, Told)
        heard.append((message.data["uuid"], message.data["message"]["content"]))
        if len(heard) == len(said):
            all_heard.set()

    with anyio.fail_after(SECONDS):
        async with RelayProcesses(tmp_path, "boot").launch(["cat"]) as child, anyio.create_task_group() as tasks:
            client = Client(child, SECONDS)
            client.attach(hear, lambda _: None)
            for number, words in enumerate(said):
                client.say(words, str(number), "later")
            for work in (client.read, client.write, client.listen):
                tasks.start_soon(work, name=work.__name__)
            await all_heard.wait()
            tasks.cancel_scope.cancel()
    assert heard == [(str(number), words) for number, words in enumerate(said)]


async def test_what_is_said_to_a_program_that_is_gone_is_told_by_its_end(tmp_path: Path) -> None:
    with anyio.fail_after(SECONDS):
        async with RelayProcesses(tmp_path, "boot").launch(["true"]) as child, anyio.create_task_group() as tasks:
            await child.wait()
            client = Client(child, SECONDS)
            client.say("anyone there?", "1", "later")
            tasks.start_soon(client.listen, name="listen")
            await client.read()
            assert client.over is not None
            assert client.over.code == "died"
            with pytest.raises(ProviderError, match="ended with exit code 0"):
                client.say("and now?", "2", "later")


async def test_of_a_request_that_is_given_up_nothing_is_kept(tmp_path: Path) -> None:
    with anyio.fail_after(SECONDS):
        async with RelayProcesses(tmp_path, "boot").launch(["cat"]) as child:
            client = Client(child, SECONDS)
            with anyio.move_on_after(0) as given_up:
                await client.request("interrupt")
            assert given_up.cancelled_caught
            assert not client._waiting
            assert not client._connection._waiting


class SlowTools:
    """Tools that answer when they are told to, and know which of their answers were handed over."""

    def __init__(self) -> None:
        self.asked = anyio.Event()
        self.may_answer = anyio.Event()
        self.over = anyio.Event()
        self.handed_over = False

    @asynccontextmanager
    async def answered(self, message: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any] | None]:
        self.asked.set()
        try:
            await self.may_answer.wait()
            yield {"jsonrpc": "2.0", "id": message["id"], "result": {}}
            self.handed_over = True
        finally:
            self.over.set()


@asynccontextmanager
async def equipped(directory: Path, tools: SlowTools, *argv: str) -> AsyncIterator[tuple[Client, Child]]:
    """A client with tools, of a program that stands in for claude."""
    with anyio.fail_after(SECONDS):
        async with RelayProcesses(directory, "boot").launch(argv) as child, anyio.create_task_group() as tasks:
            client = Client(child, SECONDS)
            client.tool_calls = ToolCalls(tools.answered, client.tell_result, tasks)
            yield client, child


TO_THE_RELAY = (
    b'{"type":"control_request","request_id":"r1","request":{"subtype":"mcp_message","server_name":"relaykit",'
    b'"message":{"jsonrpc":"2.0","id":4,"method":"ping"}}}\n'
)


@pytest.mark.parity("N-5")
async def test_an_answer_of_the_tools_goes_over_the_pipe_under_the_id_of_the_call(tmp_path: Path) -> None:
    tools = SlowTools()
    tools.may_answer.set()
    async with equipped(tmp_path, tools, "head", "-n1") as (client, child):
        client._receive(TO_THE_RELAY)
        await tools.over.wait()
        said = await child.stdout.receive()
    assert tools.handed_over
    answer = {
        "subtype": "success",
        "request_id": "r1",
        "response": {"mcp_response": {"jsonrpc": "2.0", "id": 4, "result": {}}},
    }
    assert json.loads(said) == {"type": "control_response", "response": answer}


@pytest.mark.parity("N-5")
@pytest.mark.parametrize("line", [b'{"type":"control_cancel_request","request_id":"r1"}\n', None])
async def test_nobody_took_the_answer_of_a_call_that_was_withdrawn_or_whose_claude_is_gone(
    tmp_path: Path, line: bytes | None
) -> None:
    tools = SlowTools()
    async with equipped(tmp_path, tools, "sh", "-c", "read line") as (client, _):
        client._receive(TO_THE_RELAY)
        await tools.asked.wait()
        if line is not None:
            client._receive(line)
        else:
            client.say("the last that it reads", "1", "later")
            await client.read()
        await tools.over.wait()
        tools.may_answer.set()
    assert not tools.handed_over


A_USE = (
    b'{"type":"control_request","request_id":"r1","request":{"subtype":"mcp_message","server_name":"relaykit","message":'
    b'{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"send","_meta":{"claudecode/toolUseId":"use-1"}}}}}\n'
)


def shown(use: str, *, failed: bool = False) -> bytes:
    block = {"type": "tool_result", "tool_use_id": use, "content": "?", **({"is_error": True} if failed else {})}
    return json.dumps({"type": "user", "message": {"role": "user", "content": [block]}}).encode() + b"\n"


@asynccontextmanager
async def answered(directory: Path, tools: SlowTools) -> AsyncIterator[Client]:
    """A client whose tools have answered a use, and whose claude has the answer in its pipe."""
    tools.may_answer.set()
    async with equipped(directory, tools, "head", "-n1") as (client, child):
        client._receive(A_USE)
        assert b"control_response" in await child.stdout.receive()
        client._receive(shown("use-2"))
        await anyio.wait_all_tasks_blocked()
        assert not tools.over.is_set(), "the answer was written, and nothing says that it was read"
        yield client
        await tools.over.wait()


@pytest.mark.parity("N-5")
async def test_the_answer_of_a_use_was_taken_once_claude_shows_it(tmp_path: Path) -> None:
    tools = SlowTools()
    async with answered(tmp_path, tools) as client:
        client._receive(shown("use-1"))
    assert tools.handed_over


@pytest.mark.parity("N-5")
@pytest.mark.parametrize(
    "line", [shown("use-1", failed=True), b'{"type":"control_cancel_request","request_id":"r1"}\n']
)
async def test_an_answer_that_claude_drops_was_not_taken(tmp_path: Path, line: bytes) -> None:
    tools = SlowTools()
    async with answered(tmp_path, tools) as client:
        client._receive(line)
    assert not tools.handed_over


@pytest.mark.parity("N-5")
async def test_an_answer_in_the_pipe_of_a_claude_that_died_was_not_taken(tmp_path: Path) -> None:
    tools = SlowTools()
    async with answered(tmp_path, tools) as client:
        await client.read()
    assert not tools.handed_over


async def test_an_answer_that_comes_once_the_session_is_closed_was_not_taken(tmp_path: Path) -> None:
    tools = SlowTools()
    async with equipped(tmp_path, tools, "cat") as (client, _):
        client._receive(TO_THE_RELAY)
        await tools.asked.wait()
        client.close()
        tools.may_answer.set()
        await tools.over.wait()
    assert not tools.handed_over


async def test_a_session_without_the_relays_tools_says_so(tmp_path: Path) -> None:
    with anyio.fail_after(SECONDS):
        async with RelayProcesses(tmp_path, "boot").launch(["cat"]) as child:
            Client(child, SECONDS)._receive(TO_THE_RELAY)
            refused = json.loads(await child.stdout.receive())["response"]
    assert (refused["subtype"], refused["request_id"]) == ("error", "r1")
    assert "no tools" in refused["error"]
