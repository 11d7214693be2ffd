"""What the provider does from its start to its end, as history tells it."""

from __future__ import annotations

from enum import StrEnum

from relaykit.model.fault import Fault
from relaykit.model.record import Record


class Mode(StrEnum):
    """How a submission meets the session: the core's decision, not the provider's."""

    OWN = "own"
    """A turn of its own."""
    JOIN = "join"
    """Becomes part of the running turn."""


class Outcome(StrEnum):
    """How a turn ended, by the provider's word."""

    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class Origin(StrEnum):
    """Why a turn began."""

    SUBMISSION = "submission"
    PROVIDER = "provider"
    """Nobody asked: background work, compaction. It answers nobody."""


class PastTurn(Record, frozen=True, kw_only=True):
    """A turn as a session's history tells it."""

    id: str
    submissions: tuple[str, ...]
    outcome: Outcome | None
    """None while it is still running."""
    text: str = ""
    """Its last final text."""
    worked: bool = False
    """Whether there is anything in it but our messages."""
    fault: Fault | None = None
    told: bool = True
    """Whether the conversation has our messages; a provider may know of a turn and have lost them."""
