"""What was said: the draft that a putter hands in and the message that the mailbox made of it."""

from __future__ import annotations

from enum import StrEnum
from uuid import uuid4

from msgspec import field

from relaykit.model.attachment import Attachment
from relaykit.model.record import Record

USER = "user"
"""The person at this machine, unless they say another name."""


def new_id() -> str:
    """Return an id that nobody else makes."""
    return str(uuid4())


class Priority(StrEnum):
    """The order in the queue, and how a message meets a running turn."""

    LATER = "later"
    """Its own turn, afterwards."""
    NEXT = "next"
    """Joins the running turn where it may, else stands before every ``later`` that waits."""
    NOW = "now"
    """Interrupts the running turn, then runs."""

    @property
    def rank(self) -> int:
        """Smaller stands first."""
        return _RANK[self]


_RANK = {Priority.NOW: 0, Priority.NEXT: 1, Priority.LATER: 2}


class MessageKind(StrEnum):
    """Who made a message: someone on purpose, or the relay on behalf of a turn."""

    MESSAGE = "message"
    REPLY = "reply"
    """The one answer to a delivery; names all messages that the turn took."""
    FOLLOW_UP = "follow_up"
    """The text of a turn that an automatic reply started, for whoever asked first."""
    NOTICE = "notice"
    """Tells a sender that a delivery ended otherwise than well. Never answered, never bounced."""

    @property
    def automatic(self) -> bool:
        """Whether the relay made it."""
        return self is not MessageKind.MESSAGE


class Draft(Record, frozen=True, kw_only=True):
    """A message before the mailbox accepted it.

    The putter makes the id: putting the same draft again is the first put.
    """

    sender: str
    to: str
    """An address: ``reviewer``, ``label:x``, ``tag:x``, ``cap:x``, ``broadcast``, ``any:tag:x``, ``reviewer@dock``."""
    body: str
    id: str = field(default_factory=new_id)
    thread: str | None = None
    """The conversation it belongs to; its own id where none is given."""
    priority: Priority | None = None
    """None takes the recipient's default."""
    kind: MessageKind = MessageKind.MESSAGE
    in_reply_to: tuple[str, ...] = ()
    """Ids of the messages that it answers."""
    expires_at: float | None = None
    """Wall-clock seconds after which it is no longer delivered; counts until ``seen``."""
    all: bool = False
    """For a group and a waiting sender: every member's reply is wanted, not the first."""
    account: str | None = None
    """``transport/account`` it came in through; its ``id`` is unique within that."""
    task: str | None = None
    """The title of the work that it carries; one task for each delivery."""
    attachments: tuple[Attachment, ...] = ()
    """The files that it names; their contents are stored already, or where their source says."""


class Message(Record, frozen=True, kw_only=True):
    """What was said, as the mailbox keeps it."""

    id: str
    sender: str
    to: str
    body: str
    thread: str
    priority: Priority | None
    kind: MessageKind
    in_reply_to: tuple[str, ...]
    cause: int | None
    """The delivery whose turn sent it."""
    root: str
    """The id of the message at which the chain of causes begins."""
    hops: int
    """Length of the chain of causes."""
    created_at: float
    """Wall-clock seconds, for display."""
    expires_at: float | None
    account: str | None
    task: str | None = None
    """The title of the work that it carries."""
    attachments: tuple[Attachment, ...] = ()
    """The files that it names."""
