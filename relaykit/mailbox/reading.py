"""Looking at what became of messages, and showing them to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.mailbox import lookup, rows
from relaykit.mailbox.ends import end, under_way
from relaykit.model import InboxItem, Message, State, Trace
from relaykit.storage.audience import Audience, told

if TYPE_CHECKING:
    from collections.abc import Collection

    from relaykit.mailbox.rows import DeliveryRow
    from relaykit.mailbox.transaction import Transaction

_TO_PERSON = "recipient NOT LIKE '%@%' AND recipient NOT LIKE 'any:%' AND recipient NOT IN (SELECT id FROM agent)"
_LIMIT = 100
# Otherwise the agent would get the answer a second time, as a turn of its own.
_WAITED_FOR = (
    "state = 'queued' AND EXISTS (SELECT 1 FROM answer JOIN message AS asked ON asked.id = answered "
    "JOIN wait ON wait.message = asked.number "
    "WHERE answer.message = delivery.message AND wait.sender = delivery.recipient)"
)


@told(Audience.NOBODY)
def trace(tx: Transaction, message: str) -> Trace:
    """Return all that is known of a message."""
    number, found = lookup.message(tx, message)
    return Trace(
        message=found,
        deliveries=lookup.deliveries(tx, number, found),
        replies=tuple(lookup.answers(tx, found)),
        tasks=lookup.tasks(tx, number) if found.task is not None else (),
        reactions=lookup.reactions(tx, found.id),
    )


@told(Audience.NOBODY)
def replies(tx: Transaction, message: str) -> list[Message]:
    """Return what was said in answer to a message, oldest first."""
    return lookup.answers(tx, lookup.message(tx, message)[1])


@told(Audience.NOBODY)
def taking(tx: Transaction, delivery: int) -> list[str]:
    """Return who may take a delivery to any of a group; nobody where it has a recipient."""
    return tx.column("SELECT agent FROM pool WHERE delivery = ? ORDER BY agent", delivery)


@told(Audience.NOBODY)
def inbox(
    tx: Transaction, recipient: str, *, ended: bool = False, limit: int = _LIMIT, whole: bool = False
) -> list[InboxItem]:
    """Return what waits for a recipient in the order of its queue; with ``ended`` the last ended ones after it.

    Of an agent that is also what waits for any of a group. ``whole`` is all that waits, whatever the limit.
    """
    found = tx.rows(
        f"SELECT {rows.BOTH} WHERE (recipient = ? AND ended_at IS NULL) OR "
        "(delivery.id IN (SELECT delivery FROM pool WHERE agent = ?) AND state = 'queued') "
        f"ORDER BY rank, {rows.PLACE} LIMIT ?",
        recipient,
        recipient,
        -1 if whole else limit,
    )
    if ended:
        found += tx.rows(
            f"SELECT {rows.BOTH} WHERE recipient = ? AND ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT ?",
            recipient,
            limit,
        )[::-1]
    return [item(tx, *rows.both(row)) for row in found]


@told(Audience.NOBODY)
def queued_beyond(tx: Transaction) -> list[tuple[str, int]]:
    """Return the transports beyond which something is queued for someone, by name, and how much that is."""
    return tx.rows(
        "SELECT substr(recipient, instr(recipient, '@') + 1) AS transport, sum(messages) FROM queue "
        "WHERE messages > 0 AND instr(recipient, '@') > 0 GROUP BY transport ORDER BY transport"
    )


@told(Audience.NOBODY)
def pooled(tx: Transaction) -> dict[str, tuple[int, int]]:
    """Return how many messages, and bytes, wait for any of the groups that each agent is in."""
    found = tx.rows(
        "SELECT agent, count(*), sum(bytes) FROM pool JOIN delivery ON id = delivery WHERE state = 'queued' "
        "GROUP BY agent"
    )
    return {agent: (count, size) for agent, count, size in found}


@told(Audience.NOBODY)
def bodies(tx: Transaction, messages: Collection[str]) -> dict[str, str]:
    """Return the texts of messages, by id; one that was swept is left out."""
    marks = ", ".join("?" * len(messages))
    return dict(tx.rows(f"SELECT id, body FROM message WHERE id IN ({marks}) ORDER BY number", *messages))


def item(tx: Transaction, delivery: DeliveryRow, message: Message) -> InboxItem:
    """Return one delivery as its recipient sees it."""
    return InboxItem(
        delivery=rows.delivery(delivery, message.id),
        message=message,
        task=lookup.task(tx, delivery.id) if message.task is not None else None,
        reactions=lookup.reactions(tx, message.id),
    )


def acknowledge(tx: Transaction, deliveries: Collection[int], note: str) -> None:
    """End deliveries to people, and answers that an agent waits for: they were shown. Others are passed over."""
    for number in deliveries:
        for head in under_way(tx, f"delivery.id = ? AND ({_TO_PERSON} OR {_WAITED_FOR})", number):
            end(tx, head, State.ACKNOWLEDGED, note)
