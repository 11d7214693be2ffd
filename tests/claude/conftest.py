from __future__ import annotations

import json
import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import anyio
import pytest

import relaykit_claude
from relaykit.model import BlockEnded, BlockKind, Mode, Secret, TurnEnded
from relaykit.plugin import Context, Endpoint, SessionRequest
from relaykit.server.mcp import NEVER_PUT_OFF
from relaykit.testing.anthropic_stub import running_stub
from relaykit.testing.claude_home import claude_home, claude_options
from relaykit.testing.contexts import make_context
from relaykit.testing.program import Program
from relaykit.testing.stub_server import Stub

SECONDS = 30
_submissions = count(1)


@pytest.fixture(scope="session")
def stub():
    with running_stub() as stub:
        yield stub


@dataclass
class Talk:
    """A session, and what it said so far."""

    session: relaykit_claude.session.ClaudeSession
    provider: relaykit_claude.provider.ClaudeProvider
    heard: list = field(default_factory=list)

    async def send(self, text, mode=Mode.OWN):
        submission = f"submission-{next(_submissions)}"
        with anyio.fail_after(SECONDS):
            await self.session.submit(text, submission, mode)
        return submission

    async def until(self, kind, **wanted):
        """Wait for an occurrence of that class and with those attributes."""
        with anyio.fail_after(SECONDS):
            while True:
                what = await self.session.events.receive()
                self.heard.append(what)
                if isinstance(what, kind) and all(getattr(what, name) == value for name, value in wanted.items()):
                    return what

    async def until_tool(self):
        """Wait for a tool's use."""
        while (await self.until(BlockEnded)).block.kind is not BlockKind.TOOL_USE:
            pass

    async def turn(self, text):
        submission = await self.send(text)
        ended = await self.until(TurnEnded)
        assert ended.submissions == (submission,)
        return ended

    def all(self, kind):
        return [what for what in self.heard if isinstance(what, kind)]

    def blocks(self, kind=None):
        """Return the blocks that ended, each as it was told last."""
        found = {what.block.id: what.block for what in self.all(BlockEnded)}
        return [block for block in found.values() if kind is None or block.kind is kind]


@dataclass
class Claude:
    """Opens sessions of the provider, in a workspace of their own."""

    cwd: Path
    home: Path
    stub: Stub
    context: Context
    options: dict

    @asynccontextmanager
    async def open(self, *, options=None, **request):
        wanted = SessionRequest(**{"agent": "main", "cwd": self.cwd, **request})
        more = options or {}
        env = {**self.options["env"], **more.get("env", {})}
        opening = relaykit_claude.CLAUDE.open({**self.options, **more, "env": env}, self.context)
        async with opening as provider, provider.session(wanted) as session:
            yield Talk(session, provider)

    def told(self):
        """Return what the model was told of its tools in this workspace's session, the last request's first."""
        entries = [entry for entry in self.stub.requests() if "body" in entry]
        return [
            str(block["content"])
            for message in entries[-1]["body"]["messages"]
            for block in (message["content"] if isinstance(message["content"], list) else ())
            if block["type"] == "tool_result"
        ]


@pytest.fixture
def claude(tmp_path, stub):
    cwd = tmp_path / "workspace"
    cwd.mkdir()
    with claude_home(stub.base_url) as home:
        yield Claude(cwd, home, stub, make_context(tmp_path), claude_options(home))


@dataclass
class House:
    """The whole relay over the real claude, by its command line; the model is a stub of the house's own."""

    program: Program
    claude_home: Path
    stub: Stub
    workspace: Path

    @contextmanager
    def run(self, **agents):
        """Run a relay with agents, one called ``main`` where none is named: their settings, by name."""
        agents = agents or {"main": {}}
        lines = ["[relay]", "drain_seconds = 1"]
        lines += [line for name, settings in agents.items() for line in self._agent(name, **settings)]
        (self.program.cwd / "relaykit.toml").write_text("\n".join(lines), encoding="utf-8")
        with self.program.relay(agents=len(agents)) as relay:
            yield relay

    def _agent(self, name, options=(), **settings):
        settings = {"provider": "claude", "cwd": str(self.workspace), **settings}
        own = claude_options(self.claude_home) if settings["provider"] == "claude" else {}
        options = {**own, **dict(options)}
        env = ", ".join(f"{key} = {json.dumps(value)}" for key, value in options.pop("env", {}).items())
        yield from [f"[agents.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
        yield from [
            f"[agents.{name}.options]",
            *(f"{key} = {json.dumps(value)}" for key, value in options.items()),
            *([f"env = {{{env}}}"] if env else []),
        ]

    def send(self, *words):
        return self.program.send(*words)

    def delivery(self, message):
        """Return a message's one delivery, as its trace tells it."""
        (delivery,) = self.program.deliveries(message).values()
        return delivery

    def ended(self, message):
        """Return the delivery once it has ended."""
        (delivery,) = self.program.ended(message).values()
        return delivery

    def asked(self):
        """Return the one permission request that is open, once it is."""
        (request,) = self.program.until(lambda: self.program("permissions", "--json").json["permissions"])
        return request


@pytest.fixture
def house(tmp_path):
    with running_stub() as stub, claude_home(stub.base_url) as home:
        workspace = tmp_path / "workspace"
        workspace.mkdir()
        program = Program(home=tmp_path / "relay", cwd=tmp_path, env={"XDG_CONFIG_HOME": str(tmp_path / "config")})
        yield House(program=program, claude_home=home, stub=stub, workspace=workspace)


TOKEN = "token-0123456789abcdef"
SCHEMA = {"type": "object", "properties": {"message": {"type": "string"}}}
TOOLS = [{"name": "reply", "description": "reply", "inputSchema": SCHEMA, "_meta": NEVER_PUT_OFF}]


@dataclass
class SmallRelay:
    """The relay's side of a session's tools and hooks, on loopback: what was reported, and called."""

    url: str
    reports: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)
    listing: threading.Event = field(default_factory=threading.Event)
    """Until it is set, whoever asks for the tools waits."""

    @property
    def endpoint(self):
        return Endpoint(url=self.url, token=Secret(TOKEN), tools=self.tools)

    @asynccontextmanager
    async def tools(self, message):
        """Answer one message of the Model Context Protocol, as it comes over claude's own pipe."""
        yield await anyio.to_thread.run_sync(self.speak, message, abandon_on_cancel=True)

    def hear(self, event, told):
        with self.came:
            self.reports.append((event, told))
            self.came.notify_all()

    def until(self, event):
        """Return what was reported of an event, once it was."""
        with self.came:
            assert self.came.wait_for(lambda: event in [name for name, _ in self.reports], SECONDS), self.reports
        return next(told for name, told in self.reports if name == event)

    def speak(self, body):
        """Answer one message of the Model Context Protocol."""
        match body.get("method"):
            case "initialize":
                result = {"protocolVersion": body["params"]["protocolVersion"], "capabilities": {"tools": {}}}
                result["serverInfo"] = {"name": "relaykit", "version": "1"}
            case "tools/list":
                assert self.listing.wait(SECONDS)
                result = {"tools": TOOLS}
            case "tools/call":
                self.calls.append(body["params"])
                result = {"content": [{"type": "text", "text": "it was delivered"}]}
            case _:
                error = {"code": -32601, "message": "no such method"}
                return {"jsonrpc": "2.0", "id": body["id"], "error": error} if "id" in body else None
        return {"jsonrpc": "2.0", "id": body["id"], "result": result}


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_error(405)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers["authorization"] != f"Bearer {TOKEN}":
            self.send_error(401)
        elif self.path.startswith("/hooks/"):
            self.server.relay.hear(self.path.removeprefix("/hooks/"), body)
            self.answer({})
        else:
            self.answer(self.server.relay.speak(body))

    def answer(self, document):
        data = b"" if document is None else json.dumps(document).encode()
        self.send_response(200 if data else 202)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def relay():
    """Serves hooks, and as a server of its own tools, to who has the token; the relay's tools come over the pipe."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        url = f"http://127.0.0.1:{server.server_address[1]}"
        server.relay = SmallRelay(url)
        server.relay.listing.set()
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.relay
        finally:
            server.shutdown()
            thread.join(SECONDS)
