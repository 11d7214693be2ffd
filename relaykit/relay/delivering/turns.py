"""Folds what a session does to turns: which one runs, whose text it took, what it has said."""

from __future__ import annotations

from io import StringIO

from msgspec import Struct, field

from relaykit.model import (
    Block,
    BlockDelta,
    BlockEnded,
    BlockKind,
    BlockStarted,
    Fault,
    Occurrence,
    Origin,
    Outcome,
    PermissionAsked,
    PermissionClosed,
    ProviderNote,
    TurnEnded,
    TurnJoined,
    TurnStarted,
)
from relaykit.relay.delivering.hooked import Hooked


class Seen(Struct, frozen=True):
    """The provider named a submission as part of a turn."""

    submission: str
    turn: str


class EndedTurn(Struct, frozen=True, kw_only=True):
    """A turn that is over."""

    id: str
    origin: Origin
    outcome: Outcome
    submissions: tuple[str, ...]
    cause: str | None = None
    text: str
    worked: bool
    """Whether there was anything in it but our messages."""
    fault: Fault | None
    by: str


class RunningTurn(Struct):
    """A turn under way."""

    id: str
    origin: Origin
    cause: str | None = None
    submissions: list[str] = field(default_factory=list)
    worked: bool = False
    text: str = ""
    """The last text block that ended."""
    writing: dict[str, StringIO] = field(default_factory=dict)
    """Text blocks that are being written, by id: the reader never waits, so what a delta costs must not grow."""

    @property
    def last_text(self) -> str:
        """The text that there is: what is being written, else what was written last."""
        written = (text.getvalue() for text in reversed(self.writing.values()))
        return next(filter(None, written), self.text)


class Asking(Struct, frozen=True):
    """A question that waits for a decision."""

    turn: str
    """That ran when it was asked."""
    outlasts: bool
    """Whether it may go on after that."""


class Turns:
    """The turns of one session. Feed it every occurrence; it says what follows."""

    def __init__(self) -> None:
        self.running: RunningTurn | None = None
        self.questions: dict[str, Asking] = {}
        """What waits for a decision, by the keys of the questions."""
        self.subagents: dict[str, str] = {}
        """Names of the subagents at work, by the id of their block."""
        self.hooked = Hooked()

    @property
    def asks(self) -> bool:
        """Whether the running turn waits for a decision."""
        running = self.running
        return running is not None and any(asking.turn == running.id for asking in self.questions.values())

    def fold(self, what: Occurrence) -> list[Seen | EndedTurn]:
        """Take in one occurrence."""
        match what:
            case TurnStarted():
                self.running = RunningTurn(what.turn, what.origin, what.cause)
                return self._named(what.turn, what.submissions)
            case TurnJoined():
                return self._named(what.turn, what.submissions)
            case TurnEnded():
                return self._ended(what)
            case BlockStarted() | BlockDelta() | BlockEnded():
                self._block(what)
            case PermissionAsked():
                turn = what.question.turn or (self.running.id if self.running else "")
                self.questions[what.question.key] = Asking(turn, outlasts=what.question.turn is None)
            case PermissionClosed():
                self.questions.pop(what.key, None)
            case ProviderNote():
                self.hooked.fold(what)
            case _:
                pass
        return []

    def _named(self, turn: str, submissions: tuple[str, ...]) -> list[Seen | EndedTurn]:
        running = self._turn(turn)
        new = [submission for submission in submissions if submission not in running.submissions]
        running.submissions += new
        return [Seen(submission, turn) for submission in new]

    def _ended(self, end: TurnEnded) -> list[Seen | EndedTurn]:
        facts = self._named(end.turn, end.submissions)
        running = self._turn(end.turn)
        self.running = None
        left = {key: asking for key, asking in self.questions.items() if asking.outlasts or asking.turn != end.turn}
        self.questions = left
        self.subagents.clear()
        self.hooked.clear()
        text = end.text if end.outcome is Outcome.COMPLETED else end.text or running.last_text
        over = EndedTurn(
            id=end.turn,
            origin=running.origin,
            outcome=end.outcome,
            submissions=tuple(running.submissions),
            cause=running.cause,
            text=text,
            worked=running.worked,
            fault=end.fault,
            by=end.by,
        )
        return [*facts, over]

    def _turn(self, turn: str) -> RunningTurn:
        if self.running is None or self.running.id != turn:
            self.running = RunningTurn(turn, Origin.SUBMISSION)
        return self.running

    def _block(self, what: BlockStarted | BlockDelta | BlockEnded) -> None:
        running = self.running
        if running is None:
            return
        if isinstance(what, BlockDelta):
            if (text := running.writing.get(what.block)) is not None:
                text.write(what.text)
            return
        self._part(running, what.block, ended=isinstance(what, BlockEnded))

    def _part(self, running: RunningTurn, block: Block, *, ended: bool) -> None:
        if block.kind is not BlockKind.USER_MESSAGE:
            running.worked = True
        if block.kind is BlockKind.SUBAGENT:
            self._subagent(block, ended=ended)
        if block.kind is not BlockKind.ASSISTANT_TEXT or block.conversation != "main":
            return
        if ended:
            running.writing.pop(block.id, None)
            running.text = block.text
        else:
            text = running.writing[block.id] = StringIO()
            text.write(block.text)

    def _subagent(self, block: Block, *, ended: bool) -> None:
        if ended:
            self.subagents.pop(block.id, None)
        else:
            self.subagents[block.id] = block.name
