"""The provider ``echo``: says every text again. For trying things out, for tests, and for measuring."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from msgspec import Struct, field

from relaykit.errors import ProviderError
from relaykit.model import (
    Block,
    BlockDelta,
    BlockEnded,
    BlockKind,
    BlockStarted,
    Capabilities,
    Fault,
    Mode,
    Occurrence,
    Origin,
    Outcome,
    TurnEnded,
    TurnJoined,
    TurnStarted,
    Whose,
    new_id,
)
from relaykit.plugin import Channel

if TYPE_CHECKING:
    from relaykit.plugin import Clock, Context, Provider, SessionRequest

_SCRIPTED = {"fail:agent": Whose.AGENT, "fail:turn": Whose.TURN, "fail:message": Whose.MESSAGE}


class EchoOptions(Struct, frozen=True, kw_only=True):
    """How it echoes."""

    prefix: str = "echo: "
    delay: float = 0.0
    """Seconds before the answer."""
    pause: float = 0.0
    """Seconds between two pieces of it."""
    chunk: int = 0
    """Characters of a piece; 0 says each text in one."""
    scripted: bool = False
    """Whether the texts ``fail:agent``, ``fail:turn`` and ``fail:message`` fail that way."""

    def pieces(self, text: str) -> list[str]:
        """Cut an answer into the pieces in which it is said."""
        size = self.chunk or len(text) or 1
        return [text[start : start + size] for start in range(0, len(text), size)]


class _Turn(Struct):
    id: str
    texts: list[str]
    submissions: list[str]
    said: str = ""
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class EchoSession:
    """A conversation in which one side has nothing new to say."""

    def __init__(self, options: EchoOptions, clock: Clock) -> None:
        self.id = f"echo-{new_id()}"
        self.pid = None
        self._options = options
        self._clock = clock
        self._turn: _Turn | None = None
        self._todo = Channel[tuple[str, str]]()
        self.events = Channel[Occurrence]()

    async def submit(self, text: str, submission_id: str, mode: Mode) -> None:
        """Take a text: into the running turn where it may join, else behind those that wait."""
        await anyio.lowlevel.checkpoint()
        if mode is Mode.JOIN and self._turn is not None:
            self._turn.texts.append(text)
            self._turn.submissions.append(submission_id)
            self.events.send(TurnJoined(turn=self._turn.id, submissions=(submission_id,)))
            return
        try:
            self._todo.send((text, submission_id))
        except anyio.ClosedResourceError as exc:
            raise ProviderError(Fault(whose=Whose.RELAY, code="closed", message="the session is closed")) from exc

    async def interrupt(self) -> None:
        """End the running turn with what was said so far."""
        await anyio.lowlevel.checkpoint()
        if self._turn is not None:
            self._turn.scope.cancel()

    async def run(self) -> None:
        """Answer, one turn after the other, until cancelled."""
        with self._todo, self.events:
            async for text, submission in self._todo:
                turn = self._turn = _Turn(new_id(), [text], [submission])
                started = TurnStarted(turn=turn.id, origin=Origin.SUBMISSION, submissions=(submission,))
                self.events.send(started)
                fault = self._fault(text)
                if fault is None:
                    await self._answer(turn)
                self._turn = None
                self.events.send(_ended(turn, fault))

    async def _answer(self, turn: _Turn) -> None:
        block = Block(id=f"{turn.id}-text", kind=BlockKind.ASSISTANT_TEXT, turn=turn.id)
        with turn.scope:
            await self._clock.sleep(self._options.delay)
            self.events.send(BlockStarted(block=block))
            # Whoever joins meanwhile makes the list longer.
            for place, text in enumerate(turn.texts):
                await self._say(turn, block, ("\n" if place else "") + self._options.prefix + text)
        if turn.said:
            ended = Block(id=block.id, kind=block.kind, turn=turn.id, text=turn.said)
            self.events.send(BlockEnded(block=ended))

    async def _say(self, turn: _Turn, block: Block, text: str) -> None:
        for piece in self._options.pieces(text):
            turn.said += piece
            self.events.send(BlockDelta(block=block.id, text=piece))
            if self._options.pause:
                await self._clock.sleep(self._options.pause)

    def _fault(self, text: str) -> Fault | None:
        whose = _SCRIPTED.get(text) if self._options.scripted else None
        return None if whose is None else Fault(whose=whose, code="scripted", message=f"it was told to {text}")


def _ended(turn: _Turn, fault: Fault | None) -> TurnEnded:
    outcome = Outcome.INTERRUPTED if turn.scope.cancelled_caught else Outcome.COMPLETED
    return TurnEnded(
        turn=turn.id,
        outcome=Outcome.FAILED if fault else outcome,
        submissions=tuple(turn.submissions),
        text=turn.said,
        fault=fault,
    )


class EchoProvider:
    """Opens conversations with itself."""

    capabilities = Capabilities(join=True, interrupt=True, streaming=True)

    def __init__(self, options: EchoOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock

    @asynccontextmanager
    async def session(self, request: SessionRequest) -> AsyncIterator[EchoSession]:
        """Open a session; an old one is gone for ever."""
        if request.resume is not None:
            message = f"echo keeps no sessions, so {request.resume!r} cannot go on; start a new one"
            raise ProviderError(Fault(whose=Whose.AGENT, code="no_session", message=message))
        session = EchoSession(self._options, self._clock)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.run, name=f"echo of {request.agent}")
            yield session
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def open_echo(options: Mapping[str, Any], context: Context) -> AsyncIterator[Provider]:
    """Open the provider."""
    yield EchoProvider(EchoOptions(**options), context.clock)
