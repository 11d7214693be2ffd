from __future__ import annotations

import json
import sys
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import anyio
import pytest

import relaykit_codex
from relaykit.config import AgentConfig, Config
from relaykit.errors import CredentialError
from relaykit.model import Mode, Secret, TurnEnded
from relaykit.plugin import Context, SessionRequest
from relaykit.relay.children.processes import RelayProcesses
from relaykit.relay.clock import SystemClock
from relaykit.testing.codex_home import codex_binary, codex_home
from relaykit.testing.openai_stub import Stub, running_stub
from relaykit.testing.program import Program

SECONDS = 20
FAKE = Path(__file__).with_name("fake_codex.py")
_submissions = count(1)


class _Credentials:
    """One key, under the name ``key``."""

    async def get(self, name):
        if name != "key":
            raise CredentialError(name)
        return Secret("sk-a-key-that-nobody-may-see")


@dataclass
class Talk:
    """A session, and what it said so far."""

    session: relaykit_codex.session.CodexSession
    provider: relaykit_codex.provider.CodexProvider
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

    async def turn(self, text):
        submission = await self.send(text)
        ended = await self.until(TurnEnded)
        assert ended.submissions == (submission,)
        return ended

    def all(self, kind):
        return [what for what in self.heard if isinstance(what, kind)]

    def blocks(self, kind):
        return [what.block for what in self.heard if type(what).__name__ == "BlockEnded" and what.block.kind is kind]


@dataclass
class Codex:
    """Opens sessions of the provider, in a workspace of their own."""

    cwd: Path
    home: Path
    context: Context
    options: dict

    @asynccontextmanager
    async def open(self, *, options=None, **request):
        wanted = SessionRequest(**{"agent": "main", "cwd": self.cwd, **request})
        opening = relaykit_codex.CODEX.open({**self.options, **(options or {})}, self.context)
        async with opening as provider, provider.session(wanted) as session:
            yield Talk(session, provider)


@pytest.fixture(scope="session")
def stub():
    with running_stub() as stub:
        yield stub


@pytest.fixture
def context(tmp_path):
    clock = SystemClock()
    processes = RelayProcesses(tmp_path / "children", clock.boot_id())
    return Context(
        name="agents.main",
        home=tmp_path / "agent",
        clock=clock,
        processes=processes,
        intake=None,
        credentials=_Credentials(),
    )


@pytest.fixture
def connect():
    """How codex is reached; a module's tests are parametrised with others."""
    return "stdio"


@pytest.fixture
def codex(tmp_path, stub, context, connect, monkeypatch):
    cwd = tmp_path / "workspace"
    cwd.mkdir()
    with codex_home(stub.base_url) as home:
        # Codex runs the login shell of the user, whose start-up files may print what they like.
        monkeypatch.setenv("HOME", str(tmp_path))
        yield Codex(
            cwd,
            home,
            context,
            {"command": codex_binary(), "codex_home": str(home), "request_timeout": SECONDS, "connect": connect},
        )


@pytest.fixture
def fake(tmp_path, context):
    """A program that behaves as it is told, in place of codex: ``fake.open(env=fake.told(version="0.1.0"))``."""
    program = tmp_path / "codex"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}"\n', encoding="utf-8")
    program.chmod(0o700)
    cwd = tmp_path / "workspace"
    cwd.mkdir()
    fake = Codex(cwd, tmp_path / "home", context, {"command": str(program), "codex_home": str(tmp_path / "home")})
    fake.told = lambda **behaviour: {"FAKE_CODEX": json.dumps(behaviour)}
    return fake


@dataclass
class House:
    """The whole relay over the real codex, by its command line; the model is a stub of the house's own."""

    program: Program
    codex_home: Path
    stub: Stub
    workspace: Path

    @contextmanager
    def run(self, **agents):
        """Run a relay with agents, one called ``main`` where none is named: their settings, by name."""
        with self.run_with(**agents) as relay:
            yield relay

    @contextmanager
    def run_with(self, *more, **agents):
        """The same, with more lines about the relay itself."""
        agents = agents or {"main": {}}
        self.configure(*more, **agents)
        with self.program.relay(agents=len(agents)) as relay:
            yield relay

    def configure(self, *more, **agents):
        """Write the configuration that a relay would run with."""
        lines = ["[relay]", "drain_seconds = 1", *more]
        lines += [line for name, settings in agents.items() for line in self._agent(name, **settings)]
        (self.program.cwd / "relaykit.toml").write_text("\n".join(lines), encoding="utf-8")

    def _agent(self, name, options=(), **settings):
        settings = {"provider": "codex", "cwd": str(self.workspace), **settings}
        options = {"command": codex_binary(), "codex_home": str(self.codex_home), **dict(options)}
        yield from [f"[agents.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
        if settings["provider"] == "codex":
            yield from [
                f"[agents.{name}.options]",
                *(f"{key} = {json.dumps(value)}" for key, value in options.items()),
            ]

    def config(self, home, *agents, **options):
        """Return a configuration for a relay inside the test."""
        options = {"command": codex_binary(), "codex_home": str(self.codex_home), **options}
        configs = [AgentConfig(id=name, provider="codex", cwd=self.workspace, options=options) for name in agents]
        return Config(home=home, agents=tuple(configs))

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

    def outputs(self):
        """Return what the model was told of its tools."""
        items = [item for entry in self.stub.requests() if "body" in entry for item in entry["body"]["input"]]
        return [str(item["output"]) for item in items if item.get("type") == "function_call_output"]


@pytest.fixture
def house(tmp_path):
    """Its home and workspace lie below the user's cache: codex lets every command write to the temporary directory."""
    with running_stub() as stub, codex_home(stub.base_url) as home:
        workspace = home / "workspace"
        workspace.mkdir()
        program = Program(home=home / "relay", cwd=tmp_path, env={"XDG_CONFIG_HOME": str(tmp_path / "config")})
        yield House(program=program, codex_home=home, stub=stub, workspace=workspace)
