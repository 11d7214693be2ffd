from __future__ import annotations

import json
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import anyio
import pytest

import relaykit_codex
from relaykit.errors import CredentialError
from relaykit.model import Mode, Secret, TurnEnded
from relaykit.plugin import Context, SessionRequest
from relaykit.relay.clock import SystemClock
from relaykit.relay.processes import RelayProcesses
from relaykit.testing.codex_home import codex_binary, codex_home
from relaykit.testing.openai_stub import running_stub

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
def codex(tmp_path, stub, context):
    cwd = tmp_path / "workspace"
    cwd.mkdir()
    with codex_home(stub.base_url) as home:
        yield Codex(
            cwd, home, context, {"command": codex_binary(), "codex_home": str(home), "request_timeout": SECONDS}
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
