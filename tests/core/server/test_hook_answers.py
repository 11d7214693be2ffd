"""Hooks that are answered: status, permission and delivery through the edge alone, by a program of its own."""

from __future__ import annotations

import math
import os
import sys
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import pytest

import relaykit.server
from relaykit.config.records import AgentConfig, Config
from relaykit.errors import ProviderError
from relaykit.model import (
    Capabilities,
    Decision,
    Fault,
    Origin,
    Outcome,
    PermissionAsked,
    PermissionClosed,
    ProviderNote,
    Question,
    StatusChanged,
    TurnEnded,
    TurnStarted,
    Whose,
    new_id,
    without_credentials,
)
from relaykit.plugin import Component
from relaykit.relay import Components
from relaykit.testing.scripted import SECONDS

pytestmark = [pytest.mark.anyio, pytest.mark.parity("AR-12")]
PROGRAM = Path(__file__).with_name("hook_program.py")


@dataclass
class Asked:
    """A hook that waits for a decision."""

    decided: anyio.Event = field(default_factory=anyio.Event)
    decision: Decision = Decision.DENY
    reason: str = ""


class HookSession:
    """A session that answers three hooks: Next, Permission and Done."""

    def __init__(self, request):
        self.id = new_id()
        self.pid = None
        self.request = request
        self.cut = []
        self._turn = None
        self._todo, self._more = deque(), anyio.Event()
        self._tell, self.events = anyio.create_memory_object_stream(math.inf)
        self._asked = {}

    async def submit(self, text, submission_id, mode):
        """Keep a text until the program asks for it."""
        await anyio.lowlevel.checkpoint()
        self._todo.append((text, submission_id))
        self._more.set()

    async def interrupt(self):
        """The program cannot be interrupted."""

    async def decide(self, key, decision, reason=""):
        """Let the hook that asked have its answer."""
        await anyio.lowlevel.checkpoint()
        if asked := self._asked.pop(key, None):
            asked.decision, asked.reason = decision, reason
            asked.decided.set()

    async def hook(self, name, data):
        """Tell the program what its hook asked for."""
        match name:
            case "Next":
                return await self._next()
            case "Permission":
                return await self._permission(data)
            case "Done":
                return self._done(data)
            case "Unheard":
                raise ProviderError(Fault(whose=Whose.TURN, code="unheard", message="of that nobody has heard"))
        return {}

    async def _next(self):
        while not self._todo:
            self._more = anyio.Event()
            try:
                await self._more.wait()
            except anyio.get_cancelled_exc_class():
                self.cut.append("Next")
                raise
        text, submission = self._todo.popleft()
        self._turn = (new_id(), submission)
        self._tell.send_nowait(TurnStarted(turn=self._turn[0], origin=Origin.SUBMISSION, submissions=(submission,)))
        return {"text": text}

    async def _permission(self, data):
        key = new_id()
        asked = self._asked[key] = Asked()
        question = Question(key=key, action="tool", title=data["tool"], turn=self._turn[0])
        self._tell.send_nowait(PermissionAsked(question=question))
        try:
            await asked.decided.wait()
        finally:  # whoever asked may have gone
            withdrawn = self._asked.pop(key, None) is not None
            self._tell.send_nowait(PermissionClosed(key=key, withdrawn=withdrawn))
        return {"allowed": asked.decision is Decision.APPROVE, "reason": asked.reason}

    def _done(self, data):
        turn, submission = self._turn
        self._turn = None
        self._tell.send_nowait(
            TurnEnded(turn=turn, outcome=Outcome.COMPLETED, submissions=(submission,), text=data["text"])
        )
        return {}

    async def run(self, launch):
        """Run the program from the first text on; when it ends the session is over."""
        with self._tell:
            await self._more.wait()
            async with launch() as child:
                self.pid = child.pid
                async for piece in child.stderr:
                    sys.stderr.buffer.write(piece)


class HookProvider:
    """Runs the program."""

    capabilities = Capabilities(tools=True, permissions=True)

    def __init__(self, sessions, context):
        self.sessions = sessions
        self._context = context

    @asynccontextmanager
    async def session(self, request):
        """Open a session, whose program has the address and the token of its hooks in its environment."""
        env = without_credentials(os.environ) | request.env
        env |= {"HOOKS_URL": request.endpoint.url, "HOOKS_TOKEN": request.endpoint.token.reveal()}
        session = HookSession(request)
        self.sessions.append(session)
        argv = [sys.executable, str(PROGRAM)]
        launch = partial(self._context.processes.launch, argv, cwd=request.cwd, env=env)
        async with session.events, anyio.create_task_group() as tasks:
            tasks.start_soon(session.run, launch, name="the program")
            yield session
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def hooked(tmp_path):
    """A relay over real stores, whose one agent is a real process that knows nothing but hooks; and its sessions."""
    sessions = []

    @asynccontextmanager
    async def open_hooked(_options, context):
        yield HookProvider(sessions, context)

    component = Component(name="hooked", summary="A program that knows nothing but hooks.", open=open_hooked)
    config = Config(home=tmp_path / "home", agents=(AgentConfig(id="a", provider="hooked", cwd=tmp_path),))
    async with relaykit.server.open(config, components=Components(providers={"hooked": component})) as relay:
        with anyio.fail_after(3 * SECONDS):
            await relay.ready("a")
            yield relay, sessions


async def answer(relay, sent):
    (reply,) = await relay.wait(sent.message.id)
    return reply.body


async def asked(relay):
    """Return the one open request, once there is one."""
    async with relay._services.mailbox.watch() as watch:
        while not (found := await relay.permissions()):
            await watch.wait()
    return found[0]


async def requests(relay, *titles):
    """Return once just these are asked for."""
    async with relay._services.mailbox.watch() as watch:
        while {one.question.title for one in await relay.permissions()} != set(titles):
            await watch.wait()


async def test_messages_go_to_a_program_by_its_hooks_and_its_answers_come_back(tmp_path):
    async with hooked(tmp_path) as (relay, _):
        sent = [await relay.send("a", text) for text in ("one", "two")]
        assert [await answer(relay, one) for one in sent] == ["heard one", "heard two"]
        (delivery,) = (await relay.trace(sent[0].message.id)).deliveries
        assert [step.state for step in delivery.steps] == ["queued", "leased", "delivered", "seen", "answered"]


async def test_a_program_asks_leave_by_a_hook_and_waits_for_whoever_decides(tmp_path):
    async with hooked(tmp_path) as (relay, _), relay.subscribe(agent="a") as events:
        for decision, reason, said in [
            (Decision.APPROVE, "", "used"),
            (Decision.DENY, "not today", "not used: not today"),
        ]:
            sent = await relay.send("a", "use the drill")
            request = await asked(relay)
            assert (request.question.title, request.state) == ("the drill", "open")
            await relay.decide(request.id, decision, reason)
            assert await answer(relay, sent) == said
        notes, work = [], set()
        async for event in events:
            if isinstance(event.what, StatusChanged):
                work |= {(item.kind, item.label) for item in event.what.status.work}
            if isinstance(event.what, ProviderNote):
                notes.append(event.what.name)
            if notes.count("hook.Done") == 2:
                break
        assert ("subagent", "asker") in work
        assert notes.count("hook.Permission") == 2


async def test_what_the_session_refuses_is_told_the_program(tmp_path):
    async with hooked(tmp_path) as (relay, _):
        assert await answer(relay, await relay.send("a", "complain")) == "409 of that nobody has heard"


async def test_a_hook_whose_sender_has_gone_asks_no_longer(tmp_path, edge):
    async with hooked(tmp_path) as (relay, sessions):
        await answer(relay, await relay.send("a", "one"))
        waiting = await relay.send("a", "use the drill")
        await asked(relay)
        url, token = sessions[0].request.endpoint.url, sessions[0].request.endpoint.token.reveal()
        headers = [("Host", url.removeprefix("http://")), ("Authorization", f"Bearer {token}")]
        async with await anyio.connect_tcp(*url.removeprefix("http://").split(":")) as stream:
            await stream.send(edge.request("POST", "/hooks/Permission", headers, b'{"tool": "a saw"}'))
            await requests(relay, "the drill", "a saw")
        await requests(relay, "the drill")
        (one,) = await relay.permissions()
        await relay.decide(one.id, Decision.APPROVE)
        assert await answer(relay, waiting) == "used"


async def test_a_relay_that_stops_does_not_leave_a_hook_waiting(tmp_path):
    async with hooked(tmp_path) as (relay, sessions):
        await answer(relay, await relay.send("a", "one"))
        await relay.stop()
        assert sessions[0].cut == ["Next"]
