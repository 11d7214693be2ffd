"""A message's way to one recipient: its states, its steps, its end."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from relaykit.model.message import Message, MessageKind, Priority
from relaykit.model.record import Record
from relaykit.model.task import Reaction, Task


class State(StrEnum):
    """Where a delivery is. The last nine are ends."""

    QUEUED = "queued"
    LEASED = "leased"
    """A worker has the right to handle it; the text may be on its way to the provider."""
    DELIVERED = "delivered"
    """The provider took the text; of what came for any of a group, it is just being given it."""
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

    def over(self, standing: Wish | None) -> Wish:
        """Return which stands once this is wished, too: what is cancelled stays so, and a stop takes no wish's place."""
        if standing is Wish.CANCEL or (self is Wish.STOP and standing is not None):
            return standing
        return self


class Step(Record, frozen=True):
    """One thing that happened to a delivery."""

    state: State
    at: float
    """Wall-clock seconds, for display."""
    note: str = ""


def begun_before(steps: Sequence[Step]) -> bool:
    """Whether a turn began with a delivery in an attempt before its last, and it was not queued since.

    What is to be begun as new passes through the queue, if only in its steps.
    """
    states = [step.state for step in steps]
    queued, leased = (_last(states, state) for state in (State.QUEUED, State.LEASED))
    return State.SEEN in states[queued:leased]


def _last(states: Sequence[State], which: State) -> int:
    return max((number for number, state in enumerate(states) if state is which), default=0)


class Lease(Record, frozen=True):
    """The right to handle a delivery. A write with a lease that is no longer good raises LeaseLostError."""

    delivery: int
    owner: str
    """The incarnation of the relay that holds it."""
    epoch: int
    attempt: int


class Noted(Record, frozen=True, kw_only=True):
    """A step of a held delivery, as its worker learnt of it."""

    lease: Lease
    at: float
    """Wall-clock seconds."""
    turn: str | None = None
    """The turn that began with it: it was ``seen``. None where the provider took the text: it was ``delivered``."""


class Delivery(Record, frozen=True, kw_only=True):
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


class ReplyTo(Record, frozen=True, kw_only=True):
    """Whom the text of a delivery's turn goes to."""

    recipient: str
    thread: str
    message: str
    """The id of the message that it answers."""
    kind: MessageKind


class LeasedDelivery(Record, frozen=True, kw_only=True):
    """What a worker gets to handle."""

    delivery: Delivery
    message: Message
    lease: Lease
    reply_to: ReplyTo | None
    """None where nobody is answered: the message is a notice."""


class Accepted(Record, frozen=True, kw_only=True):
    """The proof that a message was stored."""

    message: Message
    deliveries: tuple[Delivery, ...]
    first: bool
    """False where the same draft had been put before."""


class Trace(Record, frozen=True, kw_only=True):
    """All that is known of a message: its deliveries with every step, and what was said in answer."""

    message: Message
    deliveries: tuple[Delivery, ...]
    replies: tuple[Message, ...]
    tasks: tuple[Task, ...] = ()
    """One for each delivery of a message that carries one."""
    reactions: tuple[Reaction, ...] = ()

    def answer_of(self, delivery: Delivery) -> Message | None:
        """Return the first answer of a delivery's recipient, if there is one; a notice is none."""
        said = (one for one in self.replies if one.kind is not MessageKind.NOTICE)
        return next((one for one in said if one.sender == delivery.recipient), None)

    def awaits(self, delivery: Delivery) -> bool:
        """Whether something may still come of a delivery; who has no turn takes a message first, and answers later."""
        if delivery.state is State.ACKNOWLEDGED:
            return self.answer_of(delivery) is None
        return not delivery.state.ended

    @property
    def taken_by(self) -> str:
        """Who has the message and has not answered it yet, as a list for people; empty for nobody."""
        return ", ".join(one.recipient for one in self.deliveries if one.state.ended and self.awaits(one))


class InboxItem(Record, frozen=True, kw_only=True):
    """One delivery as its recipient sees it."""

    delivery: Delivery
    message: Message
    task: Task | None = None
    reactions: tuple[Reaction, ...] = ()
