"""The agent asks, someone decides."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum

from relaykit.model.record import Record


class Approval(StrEnum):
    """What happens when an agent asks."""

    ASK = "ask"
    """A person decides."""
    AUTO = "auto"
    """The relay approves; never by a provider's bypass flag."""
    READ_ONLY = "read-only"
    """The agent may only read, and every escalation is denied."""
    DENY = "deny"
    """Every request is denied."""


class Decision(StrEnum):
    """An answer to a permission request."""

    APPROVE = "approve"
    APPROVE_FOR_SESSION = "approve_for_session"
    """Also the like of it, until the provider session ends."""
    DENY = "deny"
    ABORT = "abort"
    """Denied, and the turn is interrupted."""


class RequestState(StrEnum):
    """Where a permission request is."""

    OPEN = "open"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"
    """The provider no longer asks, or its session is gone."""
    EXPIRED = "expired"
    """Nobody answered in time: a denial."""


class Choice(Record, frozen=True, kw_only=True):
    """One thing that a person is to choose; any other words are an answer, too."""

    question: str
    options: tuple[str, ...]
    several: bool = False
    """More than one option may be chosen."""
    default: str = ""
    """What an approval without an answer means; where it is empty, the choice has to be made."""


class Reply(Record, frozen=True, kw_only=True):
    """What goes with an approval: answers to the choices, or another input in place of what was asked."""

    answers: tuple[str, ...] = ()
    """One for each choice, in their order."""
    input: Mapping[str, object] | None = None


class Question(Record, frozen=True, kw_only=True):
    """What a provider's session asks."""

    key: str
    """The session's own name for it, handed back with the decision."""
    action: str
    """``command``, ``file_change``, ``tool``, ``network`` or ``question``."""
    title: str
    """One line: the command, or the files."""
    detail: str = ""
    """The diff, the reason, the working directory."""
    turn: str | None = None
    """The turn that waits for the answer, and with whose end nobody does; None where it may outlast each."""
    item: str | None = None
    choices: tuple[Choice, ...] = ()
    """What is to be chosen by whoever approves."""
    input: Mapping[str, object] | None = None
    """What the tool was given, where an approval may give it something else."""

    @property
    def needs_answers(self) -> bool:
        """Whether an approval alone is no answer."""
        return any(not choice.default for choice in self.choices)

    @property
    def digest(self) -> str:
        """A hash of what is asked, to tell a replay from another question."""
        asked = f"{self.action}\0{self.title}\0{self.detail}"
        return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()


class PermissionRequest(Record, frozen=True, kw_only=True):
    """A question as the mailbox keeps it: bound to epoch, provider session, turn, item and digest."""

    id: str
    agent: str
    epoch: int
    session: str
    question: Question
    state: RequestState
    asked_at: float
    expires_at: float
    decision: Decision | None = None
    decided_by: str = ""
    reason: str = ""
    reply: Reply | None = None
    applied: bool = False
    """Whether the provider was told."""
    delivery: int | None = None
    """The held delivery that it is about, where the relay itself asks."""
