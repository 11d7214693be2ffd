"""Writing a permission request down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.mailbox import rows
from relaykit.model import Message, PermissionRequest, Question, new_id

if TYPE_CHECKING:
    from relaykit.mailbox.transaction import Transaction

_HELD_SECONDS = 24 * 3600.0
_EXCERPT = 500


def ask_to_let_go(tx: Transaction, delivery: int, message: Message) -> None:
    """Ask a person about a held delivery, for a day."""
    question = Question(
        key=f"held-{delivery}",
        action="question",
        title=f"more than {tx.limits.thread_automatic} automatic messages in an hour in thread {message.thread}: "
        f"let this one to {message.to} go on?",
        detail=message.body[:_EXCERPT],
    )
    write_request(tx, message.sender, 0, "", question, expires_in=_HELD_SECONDS, delivery=delivery)


def write_request(
    tx: Transaction,
    agent: str,
    epoch: int,
    session: str,
    question: Question,
    *,
    expires_in: float,
    delivery: int | None = None,
) -> PermissionRequest:
    """Store a request as open."""
    row = tx.row(
        "INSERT INTO permission (id, agent, epoch, session, key, digest, question, state, asked_at, expires_at, "
        f"delivery) VALUES (?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?) RETURNING {rows.PERMISSION}",
        new_id(),
        agent,
        epoch,
        session,
        question.key,
        question.digest,
        rows.dump(question),
        tx.now,
        tx.now + expires_in,
        delivery,
    )
    return rows.permission(row)
