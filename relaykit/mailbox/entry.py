"""Writing a message down, with one delivery for each recipient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from relaykit.mailbox import rows
from relaykit.mailbox.asking import ask_to_let_go
from relaykit.mailbox.directory import Known
from relaykit.mailbox.rows import DeliveryRow
from relaykit.model import Draft, Message, MessageKind, Priority, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.mailbox.chain import Origin
    from relaykit.mailbox.transaction import Transaction
    from relaykit.model import Agent

_HOUR = 3600.0
_COLUMNS = (
    "id, account, sender, address, body, thread, priority, kind, in_reply_to, cause, root, hops, created_at, expires_at, "
    "beyond, task, attachments"
)
_VALUES = ", ".join("?" * len(_COLUMNS.split(", ")))
_INSERT = f"INSERT INTO message ({_COLUMNS}) VALUES ({_VALUES})"
_INSERT_FIRST = (
    f"INSERT INTO message ({_COLUMNS}) SELECT {_VALUES} "
    "WHERE NOT EXISTS (SELECT 1 FROM tombstone WHERE id = ? AND account = ?) ON CONFLICT (id, account) DO NOTHING"
)


def write_message(
    tx: Transaction, draft: Draft, origin: Origin, *, beyond: bool, once: bool = False
) -> tuple[int, Message]:
    """Store a message; return its number and itself. With ``once`` the number is 0 where its id was used before."""
    message = Message(
        id=draft.id,
        sender=draft.sender,
        to=draft.to,
        body=draft.body,
        thread=draft.thread or draft.id,
        priority=draft.priority,
        kind=draft.kind,
        in_reply_to=draft.in_reply_to,
        cause=origin.cause,
        root=origin.root,
        hops=origin.hops,
        created_at=tx.now,
        expires_at=draft.expires_at,
        account=draft.account,
        task=draft.task,
        attachments=draft.attachments,
    )
    known_as = message.id, message.account or ""
    number = tx.insert(
        _INSERT_FIRST if once else _INSERT,
        *known_as,
        message.sender,
        message.to,
        message.body,
        message.thread,
        message.priority,
        message.kind,
        "\n".join(message.in_reply_to),
        message.cause,
        message.root,
        message.hops,
        message.created_at,
        message.expires_at,
        beyond,
        message.task,
        rows.dump_attachments(message.attachments),
        *(known_as if once else ()),
    )
    for answered in message.in_reply_to if number else ():
        tx.write("INSERT OR IGNORE INTO answer VALUES (?, ?)", answered, number)
    return number, message


def write_delivery(
    tx: Transaction, number: int, message: Message, recipient: str, priority: Priority, *, held: bool = False
) -> DeliveryRow:
    """Queue a message for a recipient."""
    tx.named.add(recipient)
    step = rows.step(State.QUEUED, tx.now)
    arrival = tx.insert(
        "INSERT INTO delivery (message, recipient, state, reason, rank, held, bytes, expires_at, steps) "
        "VALUES (?, ?, 'queued', '', ?, ?, ?, ?, ?)",
        number,
        recipient,
        priority.rank,
        held,
        len(message.body.encode()),
        message.expires_at,
        step,
    )
    if message.task is not None:
        tx.write("INSERT INTO task (delivery) VALUES (?)", arrival)
    return DeliveryRow(id=arrival, recipient=recipient, rank=priority.rank, held=held, steps=step)


def enter_pool(tx: Transaction, delivery: DeliveryRow, members: Sequence[str]) -> None:
    """Fix who may take a delivery to any of a group."""
    tx.named.update(members)
    tx.write_many(
        "INSERT INTO pool VALUES (?, ?, ?, ?)", [(member, *delivery.order, delivery.id) for member in members]
    )


def post(tx: Transaction, draft: Draft, origin: Origin) -> Message:
    """Store what the relay says by itself: exempt from limits, straight to its one recipient, never refused.

    Where marks are lost beyond a transport, two sides may answer each other for ever; so the last of too many in an
    hour is held, and a person asked.
    """
    known = Known(tx)
    agent = known.agent(draft.to)
    priority = capped(draft.priority or (agent and agent.priority) or Priority.LATER, known.agent(draft.sender))
    draft = replace(draft, body=rows.storable(draft.body))
    beyond = "@" in draft.to or "@" in draft.sender
    held = is_too_many(tx, draft, beyond=beyond)
    number, message = write_message(tx, draft, origin, beyond=beyond)
    delivery = write_delivery(tx, number, message, draft.to, priority, held=held)
    if held:
        ask_to_let_go(tx, delivery.id, message)
    return message


def capped(priority: Priority, sender: Agent | None) -> Priority:
    """Return the priority as far as the sender may go: an agent that may not interrupt others sends at most ``next``."""
    lowered = priority is Priority.NOW and sender is not None and not sender.may_send_now
    return Priority.NEXT if lowered else priority


def is_too_many(tx: Transaction, draft: Draft, *, beyond: bool) -> bool:
    """Whether a draft is automatic in a thread with a member beyond a transport whose hour is full of such.

    A notice never is: nobody answers it.
    """
    thread = draft.thread or draft.id
    if draft.kind in (MessageKind.MESSAGE, MessageKind.NOTICE):
        return False
    if not (beyond or tx.row("SELECT 1 FROM message WHERE thread = ? AND beyond = 1", thread)):
        return False
    (lately,) = tx.row(
        "SELECT count(*) FROM (SELECT 1 FROM message WHERE thread = ? AND kind <> 'message' AND created_at > ? LIMIT ?)",
        thread,
        tx.now - _HOUR,
        tx.limits.thread_automatic,
    )
    return bool(lately >= tx.limits.thread_automatic)
