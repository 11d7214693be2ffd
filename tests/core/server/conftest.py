"""A relay that listens on a real socket, over stores in memory, with a scripted provider that can use tools."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

import anyio
import pytest
from msgspec.structs import replace

from relaykit.server import HttpEdge
from relaykit.server.passes import TOKEN_FILE
from relaykit.testing.harness import open_world
from relaykit.testing.scripted import ALL, SECONDS

WITH_TOOLS = replace(ALL, tools=True)
_ids = count(1)


@pytest.fixture
def anyio_backend():
    return "asyncio"


def count_waits(tx, agent):
    return tx.row("SELECT count(*) FROM wait WHERE sender = ?", agent)[0]


@dataclass
class Answer:
    """What came back over the wire."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


async def exchange(url, data):
    """Send bytes to an address; return what comes until the other side closes."""
    place = urlsplit(url)
    with anyio.fail_after(SECONDS):
        async with await anyio.connect_tcp(place.hostname, place.port) as stream:
            await stream.send(data)
            return await read_answer(stream)


async def read_answer(stream):
    received = b""
    while b"\r\n\r\n" not in received:
        received += await stream.receive()
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += await stream.receive()
    return Answer(int(first.split()[1]), headers, body)


def request(method, path, headers, body=b""):
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body


@dataclass
class Client:
    """Someone with a token."""

    url: str
    token: str

    async def __call__(self, method, path, body=b"", *, without=(), **headers):
        given = {
            "Host": urlsplit(self.url).netloc,
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        kept = [(name, value) for name, value in given.items() if name not in without]
        return await exchange(self.url, request(method, path, kept, body))

    async def rpc(self, method, **params):
        body = {"jsonrpc": "2.0", "id": next(_ids), "method": method, "params": params}
        answer = await self("POST", "/mcp", json.dumps(body).encode())
        assert answer.status == 200, answer
        assert answer.json["id"] == body["id"]
        return answer.json

    async def tool(self, name, **arguments):
        """Call a tool; return what it says, which has to be no refusal."""
        result = (await self.rpc("tools/call", name=name, arguments=arguments))["result"]
        assert not result["isError"], result
        return json.loads(result["content"][0]["text"])

    async def refused(self, name, **arguments):
        """Call a tool that refuses; return why."""
        result = (await self.rpc("tools/call", name=name, arguments=arguments))["result"]
        assert result["isError"], result
        return result["content"][0]["text"]


class Edge:
    """The world of a relay that listens."""

    exchange = staticmethod(exchange)
    read_answer = staticmethod(read_answer)
    request = staticmethod(request)

    listening = staticmethod(HttpEdge)

    def __init__(self, world):
        self.world = world
        self.sessions = {}
        self.capabilities = WITH_TOOLS

    def files(self):
        """Return the files about running relays."""
        return sorted((self.world.home / "relays").glob("*"))

    def infos(self):
        return [json.loads(path.read_text()) for path in self.files()]

    @asynccontextmanager
    async def relay(self, *names, listen="auto", **changes):
        agents = [self.world.agent(name, **changes.pop(name, {})) for name in names or ("a",)]
        self.world.provider.capabilities = self.capabilities
        async with self.world.relay(*agents, edge=HttpEdge(listen), **changes) as relay:
            for agent in agents:
                await relay.ready(agent.id)
            self.sessions = {one.request.agent: one for one in self.world.provider.sessions}
            yield relay

    def client(self, name="a"):
        return self.client_of(self.sessions[name].request.endpoint)

    def client_of(self, endpoint):
        return Client(endpoint.url, endpoint.token.reveal())

    async def work(self, *kinds):
        """Return once the agent's status has these reasons."""
        with anyio.fail_after(SECONDS):
            async with self.world.mailbox.watch() as watch:
                while True:
                    [entry] = await self.world.mailbox.agents()
                    if tuple(item.kind for item in entry.status.work) == kinds:
                        return
                    await watch.wait()

    def person(self):
        url = next(iter(self.sessions.values())).request.endpoint.url
        return Client(url, (self.world.home / TOKEN_FILE).read_text())

    async def waiting(self, agent, count):
        """Return once so many calls of an agent's wait, as the mailbox has it."""
        await self._until(lambda waits: waits == count, agent)

    async def nobody_waits(self, agent):
        await self._until(lambda waits: waits == 0, agent)

    async def _until(self, holds, agent):
        with anyio.fail_after(SECONDS):
            async with self.world.mailbox.watch() as watch:
                while not holds(await self.world.mailbox._run(count_waits, agent)):
                    await watch.wait()

    async def begin(self, relay, name="a", body="go", **draft):
        """Have an agent's turn begin on a message of the person's; return the message."""
        session = self.sessions[name]
        message = (await relay.send(name, body, **draft)).message
        session.start((await session.submitted(len(session.submissions) + 1)).id)
        await self.world.until(message.id, lambda delivery: delivery.state == "seen")
        return message


@pytest.fixture
async def edge(tmp_path):
    async with open_world(tmp_path) as world:
        yield Edge(world)
