"""A dock on a real socket, over real files, and clients that speak to it byte by byte."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

import anyio
import jsonschema
import pytest

from relaykit.cli.lending import Lending
from relaykit_signaldock.dock.dock import Settings
from relaykit_signaldock.dock.openapi import openapi
from relaykit_signaldock.dock.routes import WAYS
from relaykit_signaldock.dock.serving import Plan, running

SECONDS = 20


@pytest.fixture
def anyio_backend():
    return "asyncio"


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def data(self):
        assert self.json["success"] is True, self.json
        return self.json["data"]

    @property
    def code(self):
        assert self.json["success"] is False
        return self.json["error"]["code"]


class Wire:
    """One connection."""

    def __init__(self, stream):
        self.stream = stream
        self.left = b""

    async def more(self):
        self.left += await self.stream.receive()

    async def until(self, mark):
        while mark not in self.left:
            await self.more()
        found, _, self.left = self.left.partition(mark)
        return found

    async def head(self):
        first, *lines = (await self.until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return int(first.split()[1]), headers

    async def answer(self):
        status, headers = await self.head()
        if "content-length" not in headers:
            raise AssertionError(headers)
        while len(self.left) < int(headers["content-length"]):
            await self.more()
        return Answer(status, headers, self.left[: int(headers["content-length"])])

    async def frame(self):
        """The next event of a stream in chunks, as a dictionary of its fields."""
        while True:
            raw = await self._event()
            fields = dict(line.split(": ", 1) for line in raw.decode().split("\n") if ": " in line)
            return {**fields, "data": json.loads(fields["data"])}

    async def _event(self):
        while b"\n\n" not in self.events:
            size = int(await self.until(b"\r\n"), 16)
            if size == 0:
                raise EOFError
            while len(self.left) < size + 2:
                await self.more()
            self.events += self.left[:size]
            self.left = self.left[size + 2 :]
        found, _, self.events = self.events.partition(b"\n\n")
        return found

    events = b""

    async def message(self):
        """The next message of a stream."""
        with anyio.fail_after(SECONDS):
            while (frame := await self.frame())["event"] != "message":
                pass
            return frame


@cache
def _answers():
    """The schema of what each path answers, by method, number of parts and fixed parts, in the table's order."""
    document = openapi(WAYS)
    rows = []
    for way in WAYS:
        responses = document["paths"][way.path][way.method.lower()]["responses"]
        parts = [None if part.startswith("{") else part for part in way.path.split("/")]
        by_status = {
            status: jsonschema.Draft202012Validator(
                {**next(iter(about["content"].values()))["schema"], "components": document["components"]},
            )
            for status, about in responses.items()
            if "application/json" in about["content"]
        }
        rows.append((way.method, parts, by_status))
    return rows


def conforms(method, path, answer):
    """Compare an answer with the document of the paths: every answer of every test."""
    said = path.partition("?")[0].split("/")
    for known, parts, by_status in _answers():
        if (
            known == method
            and len(parts) == len(said)
            and all(a in (None, b) for a, b in zip(parts, said, strict=True))
        ):
            status = str(answer.status) if answer.status < 400 else f"{answer.status // 100}XX"
            if status in by_status or not answer.headers["content-type"].startswith("application/octet-stream"):
                by_status[status].validate(answer.json)
            return


@dataclass
class Client:
    url: str
    agent: str
    key: str
    headers: dict = field(default_factory=dict)

    async def raw(self, data):
        place = urlsplit(self.url)
        with anyio.fail_after(SECONDS):
            async with await anyio.connect_tcp(place.hostname, place.port) as stream:
                await stream.send(data.replace(b"HOST", place.netloc.encode()))
                return await Wire(stream).answer()

    def request(self, method, path, body=None, **headers):
        said = {"Authorization": f"Bearer {self.key}", "X-Agent-Id": self.agent, **self.headers}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if body is not None:
            said |= {"Content-Type": "application/json", "Content-Length": str(len(raw))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in said.items() if value is not None)
        return f"{method} {path} HTTP/1.1\r\nHost: HOST\r\n{lines}\r\n".encode() + raw

    async def ask(self, method, path, body=None, **headers):
        answer = await self.raw(self.request(method, path, body, **headers))
        conforms(method, path, answer)
        return answer

    async def send(self, to, content, **more):
        body = {"content": content, "toAgentId": to, **more.pop("body", {})}
        answer = await self.ask("POST", "/messages", body, **more)
        return answer.data["message"]

    async def peek(self, query=""):
        return (await self.ask("GET", f"/messages/peek{query}")).data["messages"]

    async def ack(self, *ids):
        return (await self.ask("POST", "/messages/ack", {"messageIds": list(ids)})).data

    @asynccontextmanager
    async def stream(self, path="/messages/stream", raw=None, **headers):
        place = urlsplit(self.url)
        async with await anyio.connect_tcp(place.hostname, place.port) as stream:
            request = raw or self.request("GET", path, Accept="text/event-stream", **headers)
            with anyio.fail_after(SECONDS):
                await stream.send(request.replace(b"HOST", place.netloc.encode()))
                wire = Wire(stream)
                status, found = await wire.head()
                assert (status, found["content-type"].split(";")[0]) == (200, "text/event-stream")
                first = await wire.frame()
            assert (first["event"], first["data"]) == ("connected", {"agentId": self.agent})
            yield wire


@dataclass
class Docks:
    """Opens docks over one home."""

    person: str = ""

    @asynccontextmanager
    async def open(self, *names, per_minute=0, **settings):
        """Run a dock; yield a client for each name, registered."""
        lent = Lending("dock")
        self.person = lent.person_token().reveal()
        plan = Plan(listen="127.0.0.1:0", settings=Settings(**settings), per_minute=per_minute)
        async with running(plan, lent) as url:
            self.url = url
            yield [await self.register(name) for name in names]

    def operator(self):
        return Client(self.url, "", self.person, {"X-Agent-Id": None})

    async def register(self, name, **traits):
        body = {"agentId": name, "name": name, "class": "code_dev", "capabilities": [], **traits}
        answer = await self.operator().ask("POST", "/agents", body)
        return Client(self.url, name, answer.data["apiKey"])


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RELAYKIT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def docks(home):
    return Docks()
