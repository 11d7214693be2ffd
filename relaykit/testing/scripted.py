"""A provider that does what a test says, move by move: the one fake of a provider that relaykit's own tests use.

It keeps the provider contract (the conformance suite runs over it) and remembers its sessions' turns, as the real
ones do, so that a relay that was killed can be started again beside it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

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
    Choice,
    Decision,
    Fault,
    Mode,
    Occurrence,
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
    new_id,
)
from relaykit.plugin import Channel, Component, Context, Projects, Provider, Session, SessionRequest
from relaykit.testing.scripted_abilities import SmallAbilities

SECONDS = 10.0
"""Bounds every wait for a move of the relay's: what takes longer has gone wrong."""
ALL = Capabilities(
    join=True,
    interrupt=True,
    resume=True,
    history=True,
    compact=True,
    permissions=True,
    replies=True,
    withdraw=True,
    set_model=True,
    set_permission_mode=True,
    streaming=True,
)
"""What a scripted provider can do unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a session was handed."""

    text: str
    id: str
    mode: Mode


class ScriptedSession(SmallAbilities):
    """A session whose every move a test makes."""

    def __init__(self, provider: ScriptedProvider, request: SessionRequest) -> None:
        super().__init__()
        self.provider = provider
        self.request = request
        self.id = request.resume or new_id()
        self.pid: int | None = None
        self.submissions: list[Submission] = []
        self.interrupts = 0
        self.decisions: list[tuple[str, Decision]] = []
        self.compacted = 0
        self.compacting: anyio.Event | None = None
        """Where there is one, compacting takes until it is set."""
        self.obedient = True
        """Whether an interrupt ends the turn by itself."""
        self.refusal: Fault | None = None
        """Raised by the next submit."""
        self.deaf = False
        """Whether it no longer answers when it is asked for its history."""
        self._turn: str | None = None
        self._changed = anyio.Event()
        self.events = Channel[Occurrence]()

    async def submit(self, text: str, submission_id: str, mode: Mode) -> None:
        """Take a text, or refuse it as the test wants."""
        await anyio.lowlevel.checkpoint()
        if self.refusal is not None:
            fault, self.refusal = self.refusal, None
            raise ProviderError(fault)
        self.submissions.append(Submission(text, submission_id, mode))
        self._change()

    async def interrupt(self) -> None:
        """Count it, and end the turn."""
        self.interrupts += 1
        self._change()
        if self.obedient and self._turn is not None:
            self.end(Outcome.INTERRUPTED)

    async def decide(self, key: str, decision: Decision, reason: str = "") -> None:  # noqa: ARG002 - the contract's
        """Note the decision, and close the question."""
        self.decisions.append((key, decision))
        self.events.send(PermissionClosed(key=key))
        self._change()

    async def history(self, session: str) -> Sequence[PastTurn] | None:
        """Return the turns that the provider remembers."""
        if self.deaf:
            await anyio.sleep_forever()
        return self.provider.turns.get(session)

    async def compact(self) -> None:
        """Count it, and be done when the test says so."""
        self.compacted += 1
        if self.compacting is not None:
            await self.compacting.wait()

    async def submitted(self, count: int = 1) -> Submission:
        """Return the last submission, once there are that many."""
        await self._until(lambda: len(self.submissions) >= count)
        return self.submissions[count - 1]

    async def interrupted(self, count: int = 1) -> None:
        """Return once it was interrupted that often."""
        await self._until(lambda: self.interrupts >= count)

    async def decided(self, count: int = 1) -> tuple[str, Decision]:
        """Return the last decision, once there are that many."""
        await self._until(lambda: len(self.decisions) >= count)
        return self.decisions[count - 1]

    def start(
        self,
        *submissions: str,
        turn: str | None = None,
        origin: Origin = Origin.SUBMISSION,
        cause: str | None = None,
    ) -> str:
        """Begin a turn with submissions, or one that nobody asked for."""
        self._turn = turn or new_id()
        self._remember(PastTurn(id=self._turn, submissions=submissions, outcome=None))
        self.tell(TurnStarted(turn=self._turn, origin=origin, submissions=submissions, cause=cause))
        return self._turn

    def rejoin(self) -> str:
        """Tell of the turn that runs on from an earlier session object, as one whose process was detached."""
        past = next(turn for turn in self.provider.turns[self.id] if turn.outcome is None)
        return self.start(*past.submissions, turn=past.id)

    def join(self, *submissions: str) -> None:
        """Name submissions as part of the running turn."""
        past = self._past()
        self._remember(replace(past, submissions=(*past.submissions, *submissions)))
        self.tell(TurnJoined(turn=past.id, submissions=submissions))

    def say(self, text: str, *, block: str = "text") -> None:
        """Write a block of text, as deltas and as a whole."""
        shown = Block(id=block, kind=BlockKind.ASSISTANT_TEXT, turn=self._turn)
        self.tell(BlockStarted(block=shown), BlockDelta(block=block, text=text))
        self.tell(BlockEnded(block=replace(shown, text=text)))
        self._remember(replace(self._past(), text=text, worked=True))

    def write(self, text: str, *, block: str = "text") -> None:
        """Begin a block of text and do not end it."""
        shown = Block(id=block, kind=BlockKind.ASSISTANT_TEXT, turn=self._turn)
        self.tell(BlockStarted(block=shown), BlockDelta(block=block, text=text))
        self._remember(replace(self._past(), text=text, worked=True))

    def use_tool(self, name: str) -> None:
        """Use a tool."""
        self.tell(BlockEnded(block=Block(id=new_id(), kind=BlockKind.TOOL_USE, turn=self._turn, name=name)))
        self._remember(replace(self._past(), worked=True))

    def ask(self, title: str, *, key: str = "q1", choices: tuple[Choice, ...] = ()) -> None:
        """Ask for permission, or for a choice."""
        action = "question" if choices else "command"
        question = Question(key=key, action=action, title=title, turn=self._turn, item="i", choices=choices)
        self.tell(PermissionAsked(question=question))

    def end(self, outcome: Outcome = Outcome.COMPLETED, text: str = "", fault: Fault | None = None) -> None:
        """End the running turn."""
        past = replace(self._past(), outcome=outcome, fault=fault, text=text or self._past().text)
        self._remember(past)
        self._turn = None
        told = text if outcome is Outcome.COMPLETED else ""
        self.tell(TurnEnded(turn=past.id, outcome=outcome, submissions=past.submissions, text=told or "", fault=fault))

    def answer(self, text: str, *submissions: str) -> None:
        """Take submissions into a turn of their own and complete it with a text."""
        self.start(*submissions)
        self.say(text)
        self.end(text=text)

    def forget_end(self, text: str) -> None:
        """Complete the running turn without ever saying so."""
        self._remember(replace(self._past(), outcome=Outcome.COMPLETED, text=text, worked=True))

    def die(self) -> None:
        """End as a process that was killed: the turn is cut off, the stream ends."""
        if self._turn is not None:
            past = replace(self._past(), outcome=Outcome.INTERRUPTED)
            self._remember(past)
            fault = Fault(whose=Whose.PROCESS, code="died", message="the process died")
            self.tell(TurnEnded(turn=past.id, outcome=Outcome.INTERRUPTED, fault=fault, by="process"))
        self._turn = None
        self.events.close()

    def tell(self, *occurrences: Occurrence) -> None:
        """Emit whatever the test wants."""
        for what in occurrences:
            self.events.send(what)

    def close(self) -> None:
        """Tell nothing more."""
        self.events.close()

    def _past(self) -> PastTurn:
        turns = self.provider.turns[self.id]
        return next(turn for turn in turns if turn.id == self._turn)

    def _remember(self, past: PastTurn) -> None:
        turns = [turn for turn in self.provider.turns.get(self.id, []) if turn.id != past.id]
        self.provider.turns[self.id] = [*turns, past]

    def _change(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def _until(self, holds: Any) -> None:
        with anyio.fail_after(SECONDS):
            while not holds():
                await self._changed.wait()


@dataclass
class ScriptedProvider:
    """Opens scripted sessions, and keeps what they did."""

    capabilities: Capabilities = ALL
    sessions: list[ScriptedSession] = field(default_factory=list)
    turns: dict[str, list[PastTurn]] = field(default_factory=dict)
    """History, by session."""
    projects: Projects | None = None
    """What it makes of profiles."""
    refusals: list[Fault] = field(default_factory=list)
    """Raised one by one when a session is to be opened."""
    opening: Callable[[SessionRequest], Awaitable[None]] | None = None
    """What happens while a session is only now opening."""
    _opened: anyio.Event = field(default_factory=anyio.Event)

    @asynccontextmanager
    async def session(self, request: SessionRequest) -> AsyncIterator[Session]:
        """Open a session, or raise what the test wants."""
        if self.refusals:
            raise ProviderError(self.refusals.pop(0))
        if self.opening is not None:
            await self.opening(request)
        session = ScriptedSession(self, request)
        self.turns.setdefault(session.id, [])
        self.sessions.append(session)
        self._opened.set()
        self._opened = anyio.Event()
        try:
            yield session
        finally:
            session.close()

    async def opened(self, count: int = 1) -> ScriptedSession:
        """Return a session, once that many were opened."""
        with anyio.fail_after(SECONDS):
            while len(self.sessions) < count:
                await self._opened.wait()
        return self.sessions[count - 1]

    def component(self, name: str = "scripted") -> Component[Provider]:
        """Return it as a component of that name."""

        @asynccontextmanager
        async def open_scripted(options: Mapping[str, Any], context: Context) -> AsyncIterator[Provider]:  # noqa: ARG001
            yield self

        return Component(name=name, summary="Does what a test says.", open=open_scripted, projects=self.projects)
