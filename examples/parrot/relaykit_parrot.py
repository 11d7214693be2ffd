"""A provider that says every text again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio

from relaykit import model
from relaykit.errors import ProviderError
from relaykit.plugin import Channel, Clock, Component, Context, Provider, SessionRequest, hookimpl


class ParrotSession:
    """One conversation."""

    pid = None

    def __init__(self, delay: float, clock: Clock) -> None:
        self.id = model.new_id()
        self._delay = delay
        self._clock = clock
        self._turn = anyio.CancelScope()
        self._todo = Channel[tuple[str, str]]()
        self.events = Channel[model.Occurrence]()

    async def submit(self, text: str, submission_id: str, mode: model.Mode) -> None:
        """Take the text; its turn comes later."""
        self._todo.send((text, submission_id))

    async def interrupt(self) -> None:
        """End the running turn."""
        self._turn.cancel()

    async def run(self) -> None:
        """Answer one text after the other, until the session is left."""
        with self._todo, self.events:
            async for text, submission in self._todo:
                self.events.send(await self._answer(model.new_id(), text, submission))

    async def _answer(self, turn: str, text: str, submission: str) -> model.TurnEnded:
        named = (submission,)
        self.events.send(model.TurnStarted(turn=turn, origin=model.Origin.SUBMISSION, submissions=named))
        with anyio.CancelScope() as self._turn:
            await self._clock.sleep(self._delay)
            block = model.Block(id=f"{turn}-text", kind=model.BlockKind.ASSISTANT_TEXT, turn=turn, text=text)
            self.events.send(model.BlockEnded(block=block))
            return model.TurnEnded(turn=turn, outcome=model.Outcome.COMPLETED, submissions=named, text=text)
        return model.TurnEnded(turn=turn, outcome=model.Outcome.INTERRUPTED, submissions=named)


class ParrotProvider:
    """Opens conversations."""

    capabilities = model.Capabilities()

    def __init__(self, delay: float, clock: Clock) -> None:
        self._delay = delay
        self._clock = clock

    @asynccontextmanager
    async def session(self, request: SessionRequest) -> AsyncIterator[ParrotSession]:
        """Open a session; this provider remembers none."""
        if request.resume:
            message = f"session {request.resume} is forgotten; start a new one"
            raise ProviderError(model.Fault(whose=model.Whose.AGENT, code="no_session", message=message))
        session = ParrotSession(self._delay, self._clock)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.run, name=f"parrot of {request.agent}")
            yield session
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def open_parrot(options: Mapping[str, Any], context: Context) -> AsyncIterator[Provider]:
    """Open the provider for one agent."""
    yield ParrotProvider(options.get("delay", 0), context.clock)


@hookimpl
def relaykit_providers() -> list[Component[Provider]]:
    """Offer it."""
    delay = {"type": "number", "minimum": 0, "description": "Seconds before an answer."}
    schema = {"type": "object", "properties": {"delay": delay}, "additionalProperties": False}
    return [Component(name="parrot", summary="Says every text again", open=open_parrot, options_schema=schema)]
