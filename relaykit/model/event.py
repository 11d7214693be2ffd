"""What a session did. A provider emits the occurrences; the relay numbers them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from msgspec import field

from relaykit.model.block import Block
from relaykit.model.fault import Fault
from relaykit.model.permission import Question
from relaykit.model.record import Record
from relaykit.model.status import Status
from relaykit.model.turn import Origin, Outcome


class TurnStarted(Record, frozen=True, kw_only=True):
    """A turn began. ``submissions`` are those that the provider already names as part of it."""

    kind: ClassVar[str] = "turn_started"
    turn: str
    origin: Origin
    submissions: tuple[str, ...] = ()
    cause: str | None = None
    """Of a turn that nobody asked for: the earlier turn, or submission, whose work began it, where that is known."""


class TurnJoined(Record, frozen=True, kw_only=True):
    """The provider says that the submissions are part of the turn."""

    kind: ClassVar[str] = "turn_joined"
    turn: str
    submissions: tuple[str, ...]


class TurnEnded(Record, frozen=True, kw_only=True):
    """A turn is over by the provider's word, its process's death, or the watchdog."""

    kind: ClassVar[str] = "turn_ended"
    turn: str
    outcome: Outcome
    submissions: tuple[str, ...] = ()
    text: str = ""
    """The turn's last final text; of a turn that did not end well the last text there is."""
    fault: Fault | None = None
    by: str = "provider"
    """``provider``, ``process`` or ``watchdog``."""


class BlockStarted(Record, frozen=True, kw_only=True):
    """A block began; its text follows in deltas."""

    kind: ClassVar[str] = "block_started"
    block: Block


class BlockDelta(Record, frozen=True, kw_only=True):
    """More text of a block. Transient: numbered inside its block, merged under pressure, never stored."""

    kind: ClassVar[str] = "block_delta"
    block: str
    text: str


class BlockEnded(Record, frozen=True, kw_only=True):
    """A block is complete and carries its full text. One may come without a start."""

    kind: ClassVar[str] = "block_ended"
    block: Block


class PermissionAsked(Record, frozen=True, kw_only=True):
    """The session asks, and waits until it says that the question is closed."""

    kind: ClassVar[str] = "permission_asked"
    question: Question


class PermissionClosed(Record, frozen=True, kw_only=True):
    """The session no longer waits for this answer: it was given, or the question was withdrawn."""

    kind: ClassVar[str] = "permission_closed"
    key: str
    withdrawn: bool = False


class UsageReported(Record, frozen=True, kw_only=True):
    """What was spent, and how full the context is."""

    kind: ClassVar[str] = "usage"
    turn: str | None = None
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    context_used: int | None = None
    """Tokens in the context now."""
    context_window: int | None = None
    cost_usd: float | None = None
    source: str = ""
    """Where the figures come from."""
    confidence: str = "reported"
    """``exact``, ``reported`` or ``estimated``."""


class StatusChanged(Record, frozen=True, kw_only=True):
    """The agent's status changed."""

    kind: ClassVar[str] = "status"
    status: Status


class ErrorRaised(Record, frozen=True, kw_only=True):
    """Something went wrong. A turn is over only with ``TurnEnded``, so this may be progress."""

    kind: ClassVar[str] = "error"
    fault: Fault
    turn: str | None = None
    will_retry: bool = False


class ProviderNote(Record, frozen=True, kw_only=True):
    """What a provider said that relaykit has no word for, kept raw."""

    kind: ClassVar[str] = "note"
    name: str
    data: Mapping[str, object] = field(default_factory=dict)


Occurrence = (
    TurnStarted
    | TurnJoined
    | TurnEnded
    | BlockStarted
    | BlockDelta
    | BlockEnded
    | PermissionAsked
    | PermissionClosed
    | UsageReported
    | StatusChanged
    | ErrorRaised
    | ProviderNote
)
"""What happened, before the relay numbered it: a session's ``events`` are a stream of these."""


class Event(Record, frozen=True, kw_only=True):
    """One numbered thing that a session did."""

    agent: str
    session: str
    number: int
    """Counts up by one per session, from 1. A delta has the number of its block's start."""
    part: int = 0
    """Of a delta, its place inside the block, from 1; 0 for everything durable."""
    at: float
    """Wall-clock seconds, for display."""
    what: Occurrence
    cursor: int = 0
    """The place in the store, across sessions; where to go on from. 0 while it is not stored."""


class Gap(Record, frozen=True, kw_only=True):
    """A slow watcher missed events: those after ``after`` and before ``before`` can be read from the store."""

    agent: str
    after: int
    """Cursor of the last event that the watcher got."""
    before: int
    """Cursor of the next one that it gets."""
    missed: int


OCCURRENCES: Mapping[str, type[Occurrence]] = {
    cls.kind: cls
    for cls in (
        TurnStarted,
        TurnJoined,
        TurnEnded,
        BlockStarted,
        BlockDelta,
        BlockEnded,
        PermissionAsked,
        PermissionClosed,
        UsageReported,
        StatusChanged,
        ErrorRaised,
        ProviderNote,
    )
}
"""Every occurrence by its kind."""
