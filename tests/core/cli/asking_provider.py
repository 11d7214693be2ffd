"""A provider whose every turn asks for what the message says, or fails: for tests of what a person sees of it."""

from contextlib import asynccontextmanager

import anyio

from relaykit import model
from relaykit.plugin import Channel, Component, hookimpl


class AskingSession:
    pid = None

    def __init__(self):
        self.id = model.new_id()
        self._todo, self.events = Channel(), Channel()
        self._decided = anyio.Event()

    async def submit(self, text, submission_id, mode):
        self._todo.send((text, submission_id))

    async def interrupt(self):
        self._decided.set()

    async def decide(self, key, decision, reason=""):
        self.events.send(model.PermissionClosed(key=key))
        self._decided.set()

    async def run(self):
        with self._todo, self.events:
            async for text, submission in self._todo:
                named, turn = (submission,), model.new_id()
                self.events.send(model.TurnStarted(turn=turn, origin=model.Origin.SUBMISSION, submissions=named))
                ended = await self._fail(text) if text.startswith("fail") else await self._ask(turn, text)
                self.events.send(model.TurnEnded(turn=turn, submissions=named, **ended))

    async def _fail(self, text):
        fault = model.Fault(whose=model.Whose.TURN, code="failed", message=text)
        return {"outcome": model.Outcome.FAILED, "fault": fault}

    async def _ask(self, turn, text):
        title, _, detail = text.partition("~")
        self._decided = anyio.Event()
        question = model.Question(key=turn, action="command", title=title, detail=detail, turn=turn)
        self.events.send(model.PermissionAsked(question=question))
        await self._decided.wait()
        return {"outcome": model.Outcome.COMPLETED, "text": "done"}


class AskingProvider:
    capabilities = model.Capabilities(permissions=True)

    @asynccontextmanager
    async def session(self, request):
        session = AskingSession()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.run)
            yield session
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def open_asking(options, context):
    yield AskingProvider()


@hookimpl
def relaykit_providers():
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    return [Component(name="asking", summary="Asks", open=open_asking, options_schema=schema)]
