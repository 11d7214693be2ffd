"""What a session does, told as occurrences. Without I/O: messages in, occurrences out.

A turn begins with the first sign of it (a submission that claude says it started, or ``init``) and ends with its
``result``; what belongs to it is what claude names, never what was sent last.
"""

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
    TurnJoined,
    TurnStarted,
    Whose,
)
from relaykit.plugin.fields import Fields, decimal, number, strings, table, text
from relaykit.plugin.jsonlines import Skipped
from relaykit_claude.approvals import Open, opened
from relaykit_claude.blocks import SYNTHETIC, content_text, kept
from relaykit_claude.faults import INTERRUPTIONS, api_fault, result_fault
from relaykit_claude.protocol import Asked, Told
from relaykit_claude.running import RunningTurn
from relaykit_claude.speech import Speech
from relaykit_claude.usage import UsageMeter

_QUIET = frozenset(
    {"background_tasks_changed", "hook_started", "keep_alive", "task_progress", "task_updated", "thinking_tokens"}
)
"""What says nothing that is not said otherwise."""
_NO_RESULT = Fault(
    whose=Whose.TURN, code="no_result", message="claude went idle without a word on how the turn had ended"
)
_SWALLOWED = Fault(whose=Whose.TURN, code="swallowed", message="claude says that it is done with it, and ran no turn")


class Conversation:
    """The state of one session."""

    def __init__(self, session: str, *, resumed: bool = False) -> None:
        self.session = session
        self.model: str | None = None
        self.turn: RunningTurn | None = None
        self.compact_error = ""
        self.commands: set[str] = set()
        """Submissions of our own making, such as ``/compact``, until their turns end: nobody else knows them."""
        self._pending: dict[str, bool] = {}
        """Submissions that no turn has named yet, and whether claude has shown that it took them."""
        self._says_started = False
        """Whether claude says of submissions that they started; an older one only begins the turn."""
        self.withdrawing: set[str] = set()
        """Submissions that claude was asked to let go of: nobody waits for their turns."""
        self._swallowed: list[Occurrence] = []
        """Turns that never were, to be told once none runs."""
        self._usage = UsageMeter(resumed=resumed)
        self._speech = Speech()
        self._open: dict[str, Open] = {}
        self._handlers: Mapping[str, Callable[[Fields], list[Occurrence]]] = {
            "init": self._init,
            "result": self._result,
            "assistant": self._assistant,
            "user": self._user,
            "stream_event": self._stream,
            "command_lifecycle": self._lifecycle,
            "status": self._status,
            "session_state_changed": self._state,
            "conversation_reset": self._reset,
            "compact_boundary": self._boundary,
            "api_retry": self._retry,
            "hook_response": self._hook,
            "task_started": lambda data: self._in_turn(self._speech.agent_began, data),
            "task_notification": self._agent_ended,
        }

    @property
    def busy(self) -> bool:
        """Whether a turn runs, or something was handed over that no turn has named."""
        return self.turn is not None or bool(self._pending)

    def sent(self, submission: str) -> None:
        """Note that a submission goes out."""
        self._pending[submission] = False

    def taken(self, submission: str) -> bool:
        """Whether claude has shown that it took the submission."""
        return self._pending.get(submission, True)

    def told(self, message: Told) -> list[Occurrence]:
        """Return what a message means."""
        if handler := self._handlers.get(message.kind):
            return handler(message.data)
        return [] if message.kind in _QUIET else [ProviderNote(name=message.kind, data=kept(message.data))]

    def asked(self, asked: Asked) -> list[Occurrence] | None:
        """Return what a request of claude's means, or None where it is to be refused."""
        if asked.subtype != "can_use_tool":
            return None
        turn = self.turn
        use = text(asked.request, "tool_use_id")
        found = opened(asked, turn.id if turn else None, turn.inputs.get(use, {}) if turn else {})
        self._open[found.question.key] = found
        return [PermissionAsked(question=found.question)]

    def answer(self, key: str) -> Open | None:
        """Take the open question of that key, which is answered now."""
        return self._open.pop(key, None)

    def withdrawn(self, request: str) -> list[Occurrence]:
        """Return what it means that claude no longer waits for an answer."""
        return self._close([key for key, found in self._open.items() if found.request == request])

    def skipped(self, line: Skipped) -> list[Occurrence]:
        """Return what an unreadable line means."""
        return [ProviderNote(name="unreadable", data={"reason": line.reason, "size": line.size})]

    def cut(self, fault: Fault) -> list[Occurrence]:
        """Return what the end of the process means: its turn and its questions end with it."""
        turn, self.turn = self.turn, None
        self._pending.clear()
        closed = self._close(list(self._open))
        return [*closed, *(turn.end(Outcome.INTERRUPTED, fault, by="process") if turn else [])]

    def _init(self, data: Fields) -> list[Occurrence]:
        self.session = text(data, "session_id") or self.session
        self.model = text(data, "model") or self.model
        if self.turn is not None:
            return []  # it is told once more after a compaction
        if named := self._named(strings(data, "user_message_uuids")):
            return named
        ours = bool(self._pending) and not self._says_started
        return self._begin(text(data, "uuid"), Origin.SUBMISSION if ours else Origin.PROVIDER)

    def _lifecycle(self, data: Fields) -> list[Occurrence]:
        name, state = text(data, "command_uuid"), text(data, "state")
        self._says_started = True
        if name not in self._pending:
            return []
        self._pending[name] = True
        if state == "started":
            return self._named([name])
        return self._gone(name, state) if state in ("completed", "cancelled") else []

    def _status(self, data: Fields) -> list[Occurrence]:
        if "compact_result" in data:
            failed = text(data, "compact_result") != "success"
            self.compact_error = (text(data, "compact_error") or "it does not say why") if failed else ""
        return self._named(strings(data, "user_message_uuids"))

    def _state(self, data: Fields) -> list[Occurrence]:
        if text(data, "state") != "idle" or self.turn is None:
            return []
        return self._end(self.turn, Outcome.FAILED, _NO_RESULT)

    def _reset(self, data: Fields) -> list[Occurrence]:
        return [ProviderNote(name="conversation_reset", data=kept(data))]

    def _boundary(self, data: Fields) -> list[Occurrence]:
        return self._in_turn(self._speech.compacted, data)

    def _hook(self, data: Fields) -> list[Occurrence]:
        well = text(data, "outcome") in ("success", "")
        return [] if well else [ProviderNote(name="hook_response", data=kept(data))]

    def _retry(self, data: Fields) -> list[Occurrence]:
        wait = decimal(data, "retry_delay_ms")
        fault = api_fault(text(data, "error") or "api_error", number(data, "error_status"), _tries(data))
        turn = self.turn
        cut = turn.cut("main") if turn else []
        again = ErrorRaised(fault=_after(fault, wait), turn=turn.id if turn else None, will_retry=True)
        return [again, *cut]

    def _assistant(self, data: Fields) -> list[Occurrence]:
        named = self._named(strings(data, "user_message_uuids"))
        if text(data, "message", "model") == SYNTHETIC:
            return [*named, *self._raised(data)]
        if not text(data, "parent_tool_use_id"):
            self._usage.step(table(data, "message", "usage"))
        return [*named, *self._in_turn(self._speech.assistant, data)]

    def _user(self, data: Fields) -> list[Occurrence]:
        name = text(data, "uuid")
        named = self._named([name]) if name in self._pending else []
        return named if name in self.commands else [*named, *self._in_turn(self._speech.user, data)]

    def _stream(self, data: Fields) -> list[Occurrence]:
        return self._in_turn(self._speech.stream, data)

    def _result(self, data: Fields) -> list[Occurrence]:
        names = strings(data, "user_message_uuids") or [text(data, "user_message_uuid")]
        before = self._named([name for name in names if name])
        turn = self.turn
        if turn is None:
            turn = RunningTurn(text(data, "uuid"), Origin.PROVIDER)
            before.append(TurnStarted(turn=turn.id, origin=turn.origin))
        usage = self._usage.read(data, turn.id)
        if origin := table(data, "origin"):
            before.append(ProviderNote(name="turn_origin", data={"turn": turn.id, **origin}))
        outcome = _outcome(data)
        fault = None if outcome is not Outcome.FAILED else result_fault(data)
        return [*before, *([usage] if usage else []), *self._end(turn, outcome, fault, text(data, "result"))]

    def _begin(self, name: str, origin: Origin) -> list[Occurrence]:
        self.turn = RunningTurn(name, origin)
        return [TurnStarted(turn=name, origin=origin)]

    def _named(self, names: list[str]) -> list[Occurrence]:
        """Take in that claude names submissions as part of the turn that runs, or that now begins."""
        told: list[Occurrence] = []
        for name in names:
            if self._pending.pop(name, None) is None:
                continue
            ours = name in self.commands
            if self.turn is None:
                told += self._begin(name, Origin.PROVIDER if ours else Origin.SUBMISSION)
            if self.turn is not None and not ours:
                self.turn.submissions[name] = None
                told.append(TurnJoined(turn=self.turn.id, submissions=(name,)))
        return told

    def _gone(self, name: str, state: str) -> list[Occurrence]:
        """Tell of a submission that claude is done with though no turn named it: that is an outcome, not a wait."""
        self._pending.pop(name, None)
        self.commands.discard(name)
        if name in self.withdrawing:
            return []
        turn = RunningTurn(name, Origin.SUBMISSION)
        turn.submissions[name] = None
        cancelled = state == "cancelled"
        ended = turn.end(Outcome.INTERRUPTED if cancelled else Outcome.FAILED, None if cancelled else _SWALLOWED)
        self._swallowed += [TurnStarted(turn=name, origin=Origin.SUBMISSION, submissions=(name,)), *ended]
        return [] if self.turn else self._tell_swallowed()

    def _tell_swallowed(self) -> list[Occurrence]:
        told, self._swallowed = self._swallowed, []
        return told

    def _end(self, turn: RunningTurn, outcome: Outcome, fault: Fault | None, words: str = "") -> list[Occurrence]:
        self.turn = None
        self.commands.discard(turn.id)
        self._speech.turn_over()
        closed = self._close([key for key, found in self._open.items() if not found.agent])
        return [*closed, *turn.end(outcome, fault, text=words), *self._tell_swallowed()]

    def _agent_ended(self, data: Fields) -> list[Occurrence]:
        agent = text(data, "task_id")
        closed = self._close([key for key, found in self._open.items() if agent and found.agent == agent])
        return [*closed, *self._speech.agent_ended(self.turn, data)]

    def _close(self, keys: list[str]) -> list[Occurrence]:
        for key in keys:
            del self._open[key]
        return [PermissionClosed(key=key, withdrawn=True) for key in keys]

    def _in_turn(self, tell: Callable[[RunningTurn, Fields], list[Occurrence]], data: Fields) -> list[Occurrence]:
        """Return what is said in the turn that runs; what is said between turns has no place in any."""
        return tell(self.turn, data) if self.turn else []

    def _raised(self, data: Fields) -> list[Occurrence]:
        """Return what an answer means that claude made up in place of the API's."""
        if not text(data, "error"):
            return []
        words = content_text(table(data, "message").get("content"))
        fault = api_fault("api_error", number(data, "api_error_status"), words)
        return [ErrorRaised(fault=fault, turn=self.turn.id if self.turn else None)]


def _outcome(result: Fields) -> Outcome:
    if text(result, "terminal_reason") in INTERRUPTIONS:
        return Outcome.INTERRUPTED
    if result.get("is_error") is not True and text(result, "terminal_reason") in ("completed", ""):
        return Outcome.COMPLETED
    return Outcome.FAILED


def _tries(data: Fields) -> str:
    kind, number_, of = text(data, "error"), number(data, "attempt"), number(data, "max_retries")
    return f"{kind or 'the API failed'}, HTTP {number(data, 'error_status') or 'nothing'}: try {number_} of {of}"


def _after(fault: Fault, wait: float | None) -> Fault:
    if wait is None:
        return fault
    return Fault(whose=fault.whose, code=fault.code, message=fault.message, retry_after=wait / 1000)
