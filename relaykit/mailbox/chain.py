"""Between agents: what caused a message, whom a turn answers, who waits for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from relaykit.mailbox import rows
from relaykit.model import Draft, Message, MessageKind, ReplyTo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from relaykit.mailbox.heads import Head
    from relaykit.mailbox.transaction import Transaction


class Origin(Struct, frozen=True):
    """Where a message stands in a chain of causes."""

    cause: int | None
    """The delivery whose turn sent it."""
    root: str
    hops: int


def origin(tx: Transaction, draft: Draft, *, from_agent: bool) -> Origin:
    """Return what caused a draft: the sender's running turn, or, of an automatic one, what it answers."""
    row = None
    if draft.kind.automatic and draft.in_reply_to:
        row = tx.row("SELECT NULL, root, hops FROM message WHERE id = ?", draft.in_reply_to[0])
    elif from_agent:
        row = _running(tx, draft.sender)
    return Origin(row[0], row[1], row[2] + 1) if row else Origin(None, draft.id, 0)


def after(delivery: int, message: Message | Head) -> Origin:
    """Return the origin of what a delivery's own end makes."""
    return Origin(delivery, message.root, message.hops + 1)


def reply_to(tx: Transaction, agent: str, message: Message | Head) -> ReplyTo | None:
    """Return whom the text of the agent's turn on a message goes to; None where nobody asked."""
    match message.kind:
        case MessageKind.MESSAGE:
            return ReplyTo(recipient=message.sender, thread=message.thread, message=message.id, kind=MessageKind.REPLY)
        case MessageKind.NOTICE:
            return None
        case MessageKind.REPLY | MessageKind.FOLLOW_UP:
            return _asker(tx, agent, message)


def is_answered(tx: Transaction, delivery: int, agent: str, message: str) -> bool:
    """Whether an agent gave the one reply of a delivery before its turn ended; ``message`` is what that answers."""
    said = tx.row(
        "SELECT 1 FROM answer JOIN message ON number = message WHERE answered = ? AND cause = ? AND sender = ? "
        "AND kind IN ('reply', 'follow_up')",
        message,
        delivery,
        agent,
    )
    return said is not None


def closes_circle(tx: Transaction, sender: str, recipients: Iterable[str]) -> bool:
    """Whether one of the recipients waits, itself or through others, for an answer of the sender's."""
    todo = list(recipients)
    followed: set[str] = set()
    while todo:
        name = todo.pop()
        if name == sender:
            return True
        if name not in followed:
            followed.add(name)
            todo += _awaited_by(tx, name)
    return False


def _running(tx: Transaction, agent: str) -> tuple[int, str, int] | None:
    """Return id, root and hops of what the agent works on; of several the last whose turn has begun."""
    row: tuple[int, str, int] | None = tx.row(
        "SELECT delivery.id, root, hops FROM delivery JOIN message ON number = message "
        "WHERE delivery.recipient = ? AND owner IS NOT NULL ORDER BY state = 'seen' DESC, delivery.id DESC LIMIT 1",
        agent,
    )
    return row


def _asker(tx: Transaction, agent: str, message: Message | Head) -> ReplyTo | None:
    """Climb from an answer to the question that the agent was asked when it asked in its turn.

    The answer names the message of the agent's own that it answers; that one's cause is the delivery whose turn sent
    it. Where that turn was on an answer too, go on from there. Every step goes to an older message, so this ends,
    and it stays with the agent, so two agents never hand one answer to and fro.
    """
    while message.kind is not MessageKind.MESSAGE:
        asked = _cause_of_question(tx, agent, message)
        if asked is None:
            return None
        message = asked
    if message.sender == agent:
        return None
    return ReplyTo(recipient=message.sender, thread=message.thread, message=message.id, kind=MessageKind.FOLLOW_UP)


def _cause_of_question(tx: Transaction, agent: str, answer: Message | Head) -> Message | None:
    if not answer.in_reply_to:
        return None
    row = tx.row(
        f"SELECT {rows.MESSAGE} FROM message AS question JOIN delivery ON delivery.id = question.cause "
        "JOIN message ON message.number = delivery.message WHERE question.id = ? AND question.sender = ?",
        answer.in_reply_to[0],
        agent,
    )
    return rows.message(row) if row else None


def _awaited_by(tx: Transaction, sender: str) -> list[str]:
    """Return whose answers a sender waits for; what is for any of a group may be the only member's."""
    return tx.column(
        "SELECT coalesce((SELECT agent FROM pool WHERE pool.delivery = delivery.id "
        "GROUP BY pool.delivery HAVING count(*) = 1), recipient) FROM wait JOIN delivery ON delivery.message = wait.message "
        "WHERE wait.sender = ? AND until > ? AND ended_at IS NULL",
        sender,
        tx.now,
    )
