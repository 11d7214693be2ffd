"""What agents do with messages beyond sending: answer one now, read a thread, react, find each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from relaykit.errors import NotFoundError, RefusedError
from relaykit.mailbox import directory, lookup, rows
from relaykit.mailbox.chain import after, is_answered, reply_to
from relaykit.mailbox.entry import post
from relaykit.mailbox.letters import check_text, put
from relaykit.mailbox.reaching import may_reach
from relaykit.model import Accepted, Draft, Message, MessageKind
from relaykit.storage.audience import Audience, told

if TYPE_CHECKING:
    from relaykit.mailbox.rows import DeliveryRow
    from relaykit.mailbox.transaction import Transaction
    from relaykit.model import DirectoryEntry

_SIGN = 32
"""Characters of a reaction."""
_REACTIONS = 100
"""Of one message."""


def answer(tx: Transaction, who: str, message: str, body: str, *, id: str) -> Accepted:
    """Answer a message that came to someone.

    While the turn on it runs this is its one reply, and the text with which the turn ends is not sent any more.
    Otherwise, and after that, it is one more message of the thread.
    """
    number, found = lookup.exact(tx, message)
    delivery = next((row for row in lookup.delivery_rows(tx, number) if row.recipient == who), None)
    if delivery is None:
        raise NotFoundError(f"no message {message!r} came to {who}")
    asked = reply_to(tx, who, found)
    if asked is None:
        raise RefusedError(f"message {found.id} is a {found.kind}, which nobody waits to have answered")
    draft = Draft(id=id, sender=who, to=asked.recipient, body=body, thread=asked.thread, in_reply_to=(asked.message,))
    if delivery.owner is None or is_answered(tx, delivery.id, who, asked.message):
        return put(tx, draft)
    check_text(tx, draft)
    return _reply(tx, draft, asked.kind, delivery, found)


@told(Audience.NOBODY)
def thread(tx: Transaction, thread: str, reader: str, *, limit: int = 50) -> list[Message]:
    """Return the last messages of a thread that the reader sent or got, oldest first; any message's id names its."""
    row = tx.row("SELECT thread FROM message WHERE id = ? ORDER BY number DESC", thread)
    thread = row[0] if row else thread
    mine = "(sender = ? OR EXISTS (SELECT 1 FROM delivery WHERE delivery.message = number AND recipient = ?))"
    found = tx.rows(
        f"SELECT number, {rows.MESSAGE} FROM message WHERE id = ? AND thread = ? AND {mine} UNION ALL "
        f"SELECT number, {rows.MESSAGE} FROM message WHERE thread = ? AND thread <> id AND {mine} "
        "ORDER BY number DESC LIMIT ?",
        *(thread, thread, reader, reader),
        *(thread, reader, reader),
        limit,
    )
    return [rows.message(row[1:]) for row in found[::-1]]


def react(tx: Transaction, message: str, who: str, what: str) -> None:
    """Put a word or a sign on a message that the reader sent or got; the same again is the first."""
    if not (0 < len(what) <= _SIGN and what.isprintable()):
        raise RefusedError(f"a reaction is one word or sign of 1 to {_SIGN} characters")
    number, found = lookup.exact(tx, message)
    if found.sender != who and who not in [row.recipient for row in lookup.delivery_rows(tx, number)]:
        raise NotFoundError(f"no message {message!r} came to {who}, or from it")
    if len(lookup.reactions(tx, found.id)) >= _REACTIONS:
        raise RefusedError(f"message {found.id} has {_REACTIONS} reactions, and no more are kept")
    tx.write("INSERT OR IGNORE INTO reaction VALUES (?, ?, ?, ?)", number, who, what, tx.now)


@told(Audience.NOBODY)
def reachable(tx: Transaction, sender: str) -> list[DirectoryEntry]:
    """Return the agents that someone may send to, by id, without the one who asks."""
    known = directory.Known(tx)
    return [
        entry
        for entry in directory.agents(tx)
        if entry.agent.id != sender and may_reach(tx, known, sender, entry.agent)
    ]


def _reply(tx: Transaction, draft: Draft, kind: MessageKind, delivery: DeliveryRow, asked: Message) -> Accepted:
    message = post(tx, replace(draft, kind=kind), after(delivery.id, asked))
    number, _ = lookup.exact(tx, message.id)
    return Accepted(message=message, deliveries=lookup.deliveries(tx, number, message), first=True)
