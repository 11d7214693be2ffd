"""What a thread does, told as occurrences. Without I/O: messages in, occurrences out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from relaykit.model import (
    ErrorRaised,
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
from relaykit.plugin.fields import Fields, identifier, rows, table, text
from relaykit.plugin.jsonlines import Skipped
from relaykit_codex.approvals import Asked, asked
from relaykit_codex.faults import config_fault, turn_fault
from relaykit_codex.items import kept, result_id
from relaykit_codex.protocol import Notification, ServerRequest
from relaykit_codex.running import RunningTurn
from relaykit_codex.usage import UsageMeter

QUIET = (
    "account/rateLimits/updated",
    "remoteControl/status/changed",
    "serverRequest/resolved",
    "skills/changed",
    "thread/goal/cleared",
    "thread/goal/updated",
    "thread/name/updated",
    "thread/readState/changed",
    "thread/settings/updated",
    "thread/started",
    "thread/status/changed",
    "turn/diff/updated",
)
"""Notifications that say nothing which is not said otherwise."""
_OUTCOMES = {"completed": Outcome.COMPLETED, "interrupted": Outcome.INTERRUPTED}


class Conversation:
    """The state of one thread."""

    def __init__(self, thread: str) -> None:
        self.thread = thread
        self.turn: RunningTurn | None = None
        self._left_running: set[str] = set()
        """Commands that turns which ended well left running, by item: on purpose, so nobody else is to end them."""
        self.compaction: TurnEnded | None = None
        """How the last turn ended that did nothing but compact."""
        self._expected: dict[str, list[str]] = {}
        self._last: tuple[str, frozenset[str]] = ("", frozenset())
        """The turn that ended last, and the submissions that its end named."""
        self._starting = 0
        self._usage = UsageMeter()
        self._open: dict[str, Asked] = {}
        self._answered: dict[int | str, str] = {}
        self._handlers: Mapping[str, Callable[[Fields], list[Occurrence]]] = {
            "turn/started": self._turn_started,
            "turn/completed": self._turn_completed,
            "item/started": self._item_started,
            "item/completed": self._item_completed,
            "item/agentMessage/delta": self._text_delta,
            "item/plan/delta": self._text_delta,
            "item/reasoning/summaryTextDelta": self._text_delta,
            "item/reasoning/textDelta": self._text_delta,
            "item/commandExecution/outputDelta": self._output_delta,
            "thread/tokenUsage/updated": self._used,
            "serverRequest/resolved": self._resolved,
            "error": self._error,
            "configWarning": self._config_warning,
        }

    @property
    def running(self) -> str | None:
        """The id of the turn that runs, or that codex has promised to begin."""
        return self.turn.id if self.turn else next(iter(self._expected), None)

    def spares(self, item: str) -> bool:
        """Return whether a command is none that a turn which was cut off has left: one left on purpose, or running."""
        return item in self._left_running or (self.turn is not None and item in self.turn.items)

    def starting(self, change: int) -> None:
        """Note that a request for a turn goes out (1), or that it was answered (-1)."""
        self._starting += change

    def taken(self, turn: str, submission: str) -> bool:
        """Note that codex took a submission for a turn; return whether the end of that turn names it.

        Codex may say so only after that end: such a turn will not begin any more.
        """
        ended, named = self._last
        if turn == ended:
            return submission in named
        if self.turn and self.turn.id == turn:
            self.turn.submissions[submission] = None
        else:
            self._expected.setdefault(turn, []).append(submission)
        return True

    def told(self, note: Notification) -> list[Occurrence]:
        """Return what a notification means. Those of other threads mean nothing here."""
        if text(note.params, "threadId") not in ("", self.thread):
            return []
        if handler := self._handlers.get(note.method):
            return handler(note.params)
        known = note.method in QUIET or note.method.startswith("item/")
        return [] if known else [ProviderNote(name=note.method, data=kept(note.params))]

    def rejoin(self, past: Fields) -> list[Occurrence]:
        """Return what a turn means that began before anybody listened: what is in it, and that it runs."""
        turn = self.turn = RunningTurn(text(past, "id"), rejoined=True)
        items = rows(past, "items")
        ours = [name for item in items if (name := text(item, "clientId"))]
        turn.submissions = dict.fromkeys(ours)
        origin = Origin.SUBMISSION if ours else Origin.PROVIDER
        told: list[Occurrence] = [TurnStarted(turn=turn.id, origin=origin, submissions=tuple(ours))]
        for item in items:
            if text(item, "type") != "userMessage":  # known to whoever sent it; codex gives it another id here
                told += turn.began(item) if text(item, "status") == "inProgress" else turn.ended(item)
        return told

    def asked(self, request: ServerRequest) -> list[Occurrence] | None:
        """Return what a request of the server's means, or None where it is to be refused."""
        found = asked(request, self.turn.subject(request.params) if self.turn else {})
        if found is None:
            return None
        self._open[found.question.key] = found
        return [PermissionAsked(question=found.question)]

    def answer(self, key: str) -> Asked | None:
        """Take the open question of that key, which is answered now."""
        found = self._open.pop(key, None)
        if found:
            self._answered[found.request] = key
        return found

    def skipped(self, line: Skipped) -> list[Occurrence]:
        """Return what an unreadable line means."""
        return [ProviderNote(name="unreadable", data={"reason": line.reason, "size": line.size})]

    def cut(self, fault: Fault) -> list[Occurrence]:
        """Return what the end of the process means: its turn and its questions end with it."""
        turn, self.turn = self.turn, None
        self._expected.clear()
        keys = [*self._answered.values(), *self._open]
        self._answered.clear()
        self._open.clear()
        closed = [PermissionClosed(key=key, withdrawn=True) for key in keys]
        return [*closed, *(turn.end(Outcome.INTERRUPTED, fault, by="process") if turn else [])]

    def _turn_started(self, params: Fields) -> list[Occurrence]:
        turn = RunningTurn(text(params, "turn", "id"))
        promised = self._expected.pop(turn.id, None)
        turn.submissions = dict.fromkeys(promised or ())
        asked_for = promised is not None or self._starting > 0
        before = self._over(self.turn, Outcome.INTERRUPTED, None) if self.turn else []
        self.turn = turn
        return [*before, TurnStarted(turn=turn.id, origin=Origin.SUBMISSION if asked_for else Origin.PROVIDER)]

    def _turn_completed(self, params: Fields) -> list[Occurrence]:
        done = table(params, "turn")
        name = text(done, "id")
        turn = self._end_of(name)
        if turn is None:
            if name != self._last[0]:  # else this is its end once more
                self._last = (name, frozenset())
            return []
        outcome = _OUTCOMES.get(text(done, "status"), Outcome.FAILED)
        if outcome is Outcome.COMPLETED:
            self._left_running |= turn.unfinished
        error = table(done, "error")
        return self._over(turn, outcome, turn_fault(error) if error or outcome is Outcome.FAILED else None)

    def _item_started(self, params: Fields) -> list[Occurrence]:
        turn = self._turn_of(params)
        return turn.began(table(params, "item")) if turn else []

    def _item_completed(self, params: Fields) -> list[Occurrence]:
        turn, item = self._turn_of(params), table(params, "item")
        if turn is None:
            return []
        if text(item, "type") != "userMessage":
            return turn.ended(item)
        blocks = [*turn.cut_text(), *turn.ended(item)]
        client = text(item, "clientId")
        if not client:
            return blocks
        turn.submissions[client] = None
        return [TurnJoined(turn=turn.id, submissions=(client,)), *blocks]

    def _text_delta(self, params: Fields) -> list[Occurrence]:
        turn = self._turn_of(params)
        return turn.wrote(text(params, "itemId"), text(params, "delta")) if turn else []

    def _output_delta(self, params: Fields) -> list[Occurrence]:
        turn = self._turn_of(params)
        return turn.wrote(result_id(text(params, "itemId")), text(params, "delta")) if turn else []

    def _used(self, params: Fields) -> list[Occurrence]:
        usage = self._usage.read(table(params, "tokenUsage"), self._turn_of(params))
        return [usage] if usage else []

    def _resolved(self, params: Fields) -> list[Occurrence]:
        request = identifier(params, "requestId")
        if request is None:
            return []
        if key := self._answered.pop(request, None):
            return [PermissionClosed(key=key)]
        keys = [key for key, found in self._open.items() if found.request == request]
        for key in keys:
            del self._open[key]
        return [PermissionClosed(key=key, withdrawn=True) for key in keys]

    def _error(self, params: Fields) -> list[Occurrence]:
        turn, again = self._turn_of(params), params.get("willRetry") is True
        raised = ErrorRaised(fault=turn_fault(table(params, "error")), turn=turn.id if turn else None, will_retry=again)
        return [raised, *(turn.cut_text() if turn and again else [])]

    def _config_warning(self, params: Fields) -> list[Occurrence]:
        fault = config_fault(params)
        return [ErrorRaised(fault=fault) if fault else ProviderNote(name="configWarning", data=params)]

    def _over(self, turn: RunningTurn, outcome: Outcome, fault: Fault | None) -> list[Occurrence]:
        self._last = (turn.id, frozenset(turn.submissions))
        *closed, end = turn.end(outcome, fault)
        if turn.compacts and isinstance(end, TurnEnded):
            self.compaction = end
        return [*closed, end]

    def _end_of(self, name: str) -> RunningTurn | None:
        promised = self._expected.pop(name, None)
        if self.turn and self.turn.id == name:
            turn, self.turn = self.turn, None
            return turn
        if promised is None:
            return None
        turn = RunningTurn(name)
        turn.submissions = dict.fromkeys(promised)
        return turn

    def _turn_of(self, params: Fields) -> RunningTurn | None:
        return self.turn if self.turn and self.turn.id == text(params, "turnId") else None
