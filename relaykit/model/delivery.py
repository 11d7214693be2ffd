"""A message's way to one recipient: its states, its steps, its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relaykit.model.message import Message, MessageKind, Priority
    from relaykit.model.task import Reaction, Task


class State(StrEnum):
    """Where a delivery is. The last nine are ends."""

    QUEUED = "queued"
    LEASED = "leased"
    """A worker has the right to handle it; the text may be on its way to the provider."""
    DELIVERED = "delivered"
    """The provider took the text."""
    SEEN = "seen"
    """The provider said that a turn began with it: the point of no return."""

    ANSWERED = "answered"
    ACKNOWLEDGED = "acknowledged"
    """It has no turn: an inbox or a wait showed it to a person, or the other side of a transport took it."""
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DEAD = "dead"
    """It took its agent's process down twice, or the provider refuses it."""
    UNKNOWN = "unknown"
    """It was handed over, and nothing can tell what became of it."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens."""
        return self not in UNDER_WAY

    @property
    def ended_well(self) -> bool:
        """Whether the end is the one that was wished for."""
        return self in _WELL

    @property
    def noticed(self) -> bool:
        """Whether this end sends the sender a notice."""
        return self.ended and self not in _WELL and self is not State.CANCELLED


UNDER_WAY = frozenset({State.QUEUED, State.LEASED, State.DELIVERED, State.SEEN})
_WELL = frozenset({State.ANSWERED, State.ACKNOWLEDGED})


class Wish(StrEnum):
    """Why a running turn is asked to end; recorded before the provider is asked."""

    NOW = "now"
    INTERRUPT = "interrupt"
    CANCEL = "cancel"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a delivery."""

    state: State
    at: float
    """Wall-clock seconds, for display."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to handle a delivery. A write with a lease that is no longer good raises LeaseLostError."""

    delivery: int
    owner: str
    """The incarnation of the relay that holds it."""
    epoch: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A step of a held delivery, as its worker learnt of it."""

    lease: Lease
    at: float
    """Wall-clock seconds."""
    turn: str | None = None
    """The turn that began with it: it was ``seen``. None where the provider took the text: it was ``delivered``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message's way to one recipient."""

    id: int
    """The arrival number, given at commit."""
    message: str
    recipient: str
    """An agent, a person, or ``name@transport``; for ``any:`` the address until an agent leases it."""
    state: State
    reason: str
    """Why it is where it is; every end has one."""
    priority: Priority
    attempt: int
    """How often it was handed over; only grows."""
    deaths: int
    """How many processes died holding it, those that count."""
    owner: str | None
    epoch: int | None
    submission: str | None
    """The id of the last hand-over, new for every attempt."""
    session: str | None
    """The provider session that it was handed to."""
    turn: str | None
    wish: Wish | None
    held: bool
    """Held back until a person lets it go on."""
    steps: tuple[Step, ...]
    body: str | None = None
    """What it was edited to while it was queued; None is the message's own."""

    @property
    def lease(self) -> Lease | None:
        """The lease it is under, if any."""
        if self.owner is None or self.epoch is None:
            return None
        return Lease(self.id, self.owner, self.epoch, self.attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTo:
    """Whom the text of a delivery's turn goes to."""

    recipient: str
    thread: str
    message: str
    """The id of the message that it answers."""
    kind: MessageKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedDelivery:
    """What a worker gets to handle."""

    delivery: Delivery
    message: Message
    lease: Lease
    reply_to: ReplyTo | None
    """None where nobody is answered: the message is a notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The proof that a message was stored."""

    message: Message
    deliveries: tuple[Delivery, ...]
    first: bool
    """False where the same draft had been put before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """All that is known of a message: its deliveries with every step, and what was said in answer."""

    message: Message
    deliveries: tuple[Delivery, ...]
    replies: tuple[Message, ...]
    tasks: tuple[Task, ...] = ()
    """One for each delivery of a message that carries one."""
    reactions: tuple[Reaction, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """One delivery as its recipient sees it."""

    delivery: Delivery
    message: Message
    task: Task | None = None
    reactions: tuple[Reaction, ...] = ()
