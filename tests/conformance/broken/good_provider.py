"""A provider that keeps the contract, in pieces that the broken ones replace one at a time."""

from __future__ import annotations

import math
import sys
from contextlib import asynccontextmanager

import anyio
from msgspec.structs import replace

from relaykit.errors import ProviderError
from relaykit.model import (
    Block,
    BlockDelta,
    BlockEnded,
    BlockKind,
    BlockStarted,
    Capabilities,
    Decision,
    Fault,
    Mode,
    Origin,
    Outcome,
    PastTurn,
    PermissionAsked,
    PermissionClosed,
    Question,
    TurnEnded,
    TurnJoined,
    TurnStarted,
    Whose,
    cannot,
    new_id,
    projected,
)
from relaykit.plugin import Component, Terminal

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "delay": {"type": "number", "minimum": 0},
        "key": {"type": "string", "format": "credential"},
    },
}


class GoodSession:
    """Answers each text with itself, once it may if the text begins with ``ask``."""

    pid = None
    room = math.inf

    def __init__(self, provider, request):
        self.id = request.resume or new_id()
        self.provider = provider
        self.clock = provider.context.clock
        self.past = provider.remembered.setdefault(self.id, [])
        self.turn = None
        self.named = []
        self.waiting = set()
        self.questions = {}
        self.scope = anyio.CancelScope()
        self.put, self.todo = anyio.create_memory_object_stream(math.inf)
        self.feed, self.events = anyio.create_memory_object_stream(self.room)

    async def tell(self, what):
        await self.feed.send(what)

    async def submit(self, text, submission_id, mode):
        if mode is Mode.JOIN and self.turn is not None:
            await self.join(submission_id)
        else:
            self.waiting.add(submission_id)
            await self.put.send((text, submission_id))

    async def join(self, submission):
        self.named.append(submission)
        await self.tell(TurnJoined(turn=self.turn, submissions=(submission,)))

    async def interrupt(self):
        self.scope.cancel()

    async def decide(self, key, decision: Decision, reason=""):
        if question := self.questions.pop(key, None):
            await self.close_question(key)
            question.set()

    async def close_question(self, key):
        await self.tell(PermissionClosed(key=key))

    async def reply(self, key, reply, *, session=False):
        await self.decide(key, Decision.APPROVE)

    async def withdraw(self, submission_id):
        found = submission_id in self.waiting
        self.waiting.discard(submission_id)
        return found

    async def set_model(self, model):
        self.provider.capabilities = replace(self.provider.capabilities, model=model)

    async def compact(self):
        pass

    def terminal(self):
        return Terminal(argv=(sys.executable, self.id), cwd=self.provider.context.home)

    async def history(self, session):
        return self.provider.remembered.get(session)

    async def run(self):
        with self.put, self.todo, self.feed:
            await self.begin()
            async for text, submission in self.todo:
                await self.take(text, submission)

    async def take(self, text, submission):
        if submission in self.waiting:
            self.waiting.discard(submission)
            await self.take_turn(text, submission)

    async def begin(self):
        pass

    async def take_turn(self, text, submission):
        self.turn, self.named = new_id(), [submission]
        await self.tell(TurnStarted(turn=self.turn, origin=Origin.SUBMISSION, submissions=(submission,)))
        with anyio.CancelScope() as self.scope:
            if text.startswith("ask"):
                await self.ask()
            await self.clock.sleep(self.provider.options.get("delay", 0))
            await self.say(text)
        if self.scope.cancelled_caught:
            await self.end_interrupted()
        else:
            await self.end_completed(text)
        self.turn = None

    async def ask(self):
        key = f"{self.turn}-question"
        answered = self.questions[key] = anyio.Event()
        question = Question(key=key, action="tool", title="may it?", turn=self.turn)
        await self.tell(PermissionAsked(question=question))
        await answered.wait()

    async def say(self, text):
        block = Block(id=f"{self.turn}-text", kind=BlockKind.ASSISTANT_TEXT, turn=self.turn)
        await self.tell(BlockStarted(block=block))
        await self.say_piece(block.id, text)
        await self.tell(BlockEnded(block=Block(id=block.id, kind=block.kind, turn=self.turn, text=text)))

    async def say_piece(self, block, text):
        await self.tell(BlockDelta(block=block, text=text))

    async def end_interrupted(self):
        await self.end(Outcome.INTERRUPTED)

    async def end_completed(self, text):
        self.remember(text)
        await self.end(Outcome.COMPLETED, text)

    def remember(self, text):
        self.past.append(
            PastTurn(id=self.turn, submissions=tuple(self.named), outcome=Outcome.COMPLETED, text=text, worked=True)
        )

    async def end(self, outcome, text="", **more):
        named = tuple(self.named)
        await self.tell(TurnEnded(turn=self.turn, outcome=outcome, submissions=named, text=text, **more))


class GoodProvider:
    """Opens sessions that remember."""

    session_class = GoodSession
    capabilities = Capabilities(
        join=True,
        resume=True,
        history=True,
        compact=True,
        permissions=True,
        replies=True,
        withdraw=True,
        set_model=True,
        streaming=True,
        interrupt=True,
        attach=True,
    )

    def __init__(self, options, context):
        self.options = options
        self.context = context
        # Kept as a real agent keeps it: beyond the provider, under an id.
        self.remembered = _REMEMBERED.setdefault(context.home, {})

    @asynccontextmanager
    async def session(self, request):
        if request.resume is not None:
            self.check_resume(request.resume)
        session = self.session_class(self, self.changed(request))
        async with session.events, anyio.create_task_group() as tasks:
            tasks.start_soon(session.run, name="session")
            yield session
            tasks.cancel_scope.cancel()

    def check_resume(self, session):
        if session not in self.remembered:
            raise ProviderError(Fault(whose=Whose.AGENT, code="no_session", message="there is no such session"))

    def changed(self, request):
        return request


_REMEMBERED = {}


def project(profile, options):
    return [projected(item, "nothing") if item == "base" else cannot(item, "it is made up") for item in profile.items()]


def component(name, provider=GoodProvider, schema=SCHEMA, projects=project):
    @asynccontextmanager
    async def open_(options, context):
        yield provider(options, context)

    return Component(
        name=name, summary="For the tests of the suite", open=open_, options_schema=schema, projects=projects
    )
