"""Putting messages in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from relaykit.errors import ConflictError, FullError, RefusedError, RelaykitError
from relaykit.mailbox import lookup, rows
from relaykit.mailbox.asking import ask_to_let_go
from relaykit.mailbox.chain import closes_circle, origin
from relaykit.mailbox.directory import Known
from relaykit.mailbox.ends import end
from relaykit.mailbox.entry import capped, enter_pool, is_too_many, write_delivery, write_message
from relaykit.mailbox.heads import head_of
from relaykit.mailbox.reaching import may_reach, resolve
from relaykit.model import ATTACHMENTS, USER, Accepted, Agent, Delivery, Draft, Message, Priority, State
from relaykit.storage.audience import Audience, told

if TYPE_CHECKING:
    from relaykit.mailbox.chain import Origin
    from relaykit.mailbox.transaction import Transaction
    from relaykit.plugin.router import Route

_TITLE = 200


_BEFORE = """
SELECT number, NULL, NULL FROM message WHERE id = ? AND account = ?
UNION ALL SELECT NULL, digest, created_at FROM tombstone WHERE id = ? AND account = ?
"""
"""What an id was used for before: a message, or one that was removed."""


class _Way(Struct, frozen=True):
    """One delivery that is to be made."""

    recipient: str
    priority: Priority
    refusal: str | None = None
    """Why it cannot be queued."""
    is_full: bool = False
    """Whether that is only for now."""
    pool: tuple[str, ...] = ()

    @property
    def awaited(self) -> str:
        """Whose answer it is that a sender waits for."""
        return self.pool[0] if len(self.pool) == 1 else self.recipient


@told(Audience.NAMED)
def put(tx: Transaction, draft: Draft, *, waits: float | None = None) -> Accepted:
    """Store a message and one delivery for each recipient; the same draft again is the first put."""
    check_text(tx, draft)
    known = Known(tx)
    sender = None if draft.account else known.agent(draft.sender)
    allowed = _as_allowed(draft, sender)
    where = origin(tx, allowed, from_agent=sender is not None)
    waits = None if where.cause is None else waits
    try:
        ways = _ways(tx, known, allowed)
        _check_chain(tx, allowed, where, [way.awaited for way in ways] if waits is not None else ())
    except RelaykitError:
        # Few messages come twice: what an id was used for is looked up where this may not be its first use.
        if earlier := _earlier(tx, draft):
            return earlier
        raise
    accepted = _store(tx, allowed, where, ways, waits, from_agent=sender is not None) or _earlier(tx, draft)
    if accepted is None:
        raise _conflict(draft)
    return accepted


def _store(
    tx: Transaction, draft: Draft, where: Origin, ways: Sequence[_Way], waits: float | None, *, from_agent: bool
) -> Accepted | None:
    """Store a message and its deliveries; write nothing and return None where its id was used before."""
    foreign = draft.account is not None or "@" in draft.sender
    beyond = foreign or any("@" in way.recipient for way in ways)
    held = is_too_many(tx, draft, beyond=beyond)
    number, message = write_message(tx, draft, where, beyond=beyond, once=True)
    if not number:
        return None
    if not (from_agent or foreign or draft.sender == USER):
        tx.write("INSERT OR IGNORE INTO person VALUES (?)", draft.sender)
    if waits is not None:
        tx.write("INSERT INTO wait VALUES (?, ?, ?)", draft.sender, number, tx.now + waits)
    made = tuple(_deliver(tx, number, message, way, held=held) for way in ways)
    return Accepted(message=message, deliveries=made, first=True)


def end_wait(tx: Transaction, message: str) -> None:
    """Note that the sender no longer waits for the answer."""
    tx.write("DELETE FROM wait WHERE message IN (SELECT number FROM message WHERE id = ?)", message)


def digest(sender: str, to: str, body: str) -> str:
    """Return what tells whether an id comes again with the same content."""
    return sha256(f"{sender}\0{to}\0{body}".encode()).hexdigest()


def check_text(tx: Transaction, draft: Draft) -> None:
    """Raise RefusedError where a draft is no text that can be stored, or too large."""
    _check_names(draft)
    _check_attachments(draft)
    check_body(tx, draft.body, exempt=draft.kind.automatic)


def check_body(tx: Transaction, body: str, *, exempt: bool = False) -> int:
    """Return the bytes of a message's text; RefusedError where it is none, or has too many and is not exempt."""
    size = _size(body)
    if size > tx.limits.message_bytes and not exempt:
        raise RefusedError(f"the message has {size} bytes; {tx.limits.message_bytes} may be")
    return size


def _check_names(draft: Draft) -> None:
    _size(f"{draft.id}{draft.sender}{draft.to}{draft.thread}{draft.account}{draft.task}")
    if "\n" in draft.id:
        raise RefusedError("the message's id has more than one line")
    if draft.task is not None and not (0 < len(draft.task) <= _TITLE and draft.task.isprintable()):
        raise RefusedError(f"a task's title is one line of 1 to {_TITLE} characters")


def _check_attachments(draft: Draft) -> None:
    if len(draft.attachments) > ATTACHMENTS:
        raise RefusedError(f"the message names {len(draft.attachments)} files; {ATTACHMENTS} may be")
    for one in draft.attachments:
        if one.flaw is not None:
            raise RefusedError(f"the attached file {one.name[:200]!r} cannot be taken: {one.flaw}")


def _size(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        raise RefusedError(f"the message is no valid text: {error.reason} at character {error.start}") from error


def _check_chain(tx: Transaction, draft: Draft, where: Origin, awaited: Iterable[str]) -> None:
    if where.hops > tx.limits.hops and not draft.kind.automatic:
        raise RefusedError(f"this is {where.hops} messages after {where.root} in one chain; {tx.limits.hops} may be")
    if closes_circle(tx, draft.sender, awaited):
        raise RefusedError(f"{draft.to} waits for an answer of {draft.sender}: waiting for it would never end")


def _earlier(tx: Transaction, draft: Draft) -> Accepted | None:
    """Return what an earlier put of the same id was told."""
    known_as = draft.id, draft.account or ""
    found = tx.row(_BEFORE, *known_as, *known_as)
    if found is None:
        return None
    number, removed, created_at = found
    if number is None:
        return _removed(draft, removed, created_at)
    message = rows.message(tx.row(f"SELECT {rows.MESSAGE} FROM message WHERE number = ?", number))
    said, before = (draft.sender, draft.to, draft.body), (message.sender, message.to, message.body)
    # Servers name the files of one message now so, now so: from there the text tells.
    if said != before or (draft.account is None and draft.attachments != message.attachments):
        raise _conflict(draft)
    return Accepted(message=message, deliveries=lookup.deliveries(tx, number, message), first=False)


def _removed(draft: Draft, removed: str, created_at: float) -> Accepted:
    if removed != digest(draft.sender, draft.to, draft.body):
        raise _conflict(draft)
    message = Message(
        id=draft.id,
        sender=draft.sender,
        to=draft.to,
        body=draft.body,
        thread=draft.thread or draft.id,
        priority=draft.priority,
        kind=draft.kind,
        in_reply_to=draft.in_reply_to,
        cause=None,
        root=draft.id,
        hops=0,
        created_at=created_at,
        expires_at=draft.expires_at,
        account=draft.account,
        task=draft.task,
        attachments=draft.attachments,
    )
    return Accepted(message=message, deliveries=(), first=False)


def _conflict(draft: Draft) -> ConflictError:
    where = f" from {draft.account}" if draft.account else ""
    return ConflictError(f"the id {draft.id!r}{where} was used before for another message")


def _as_allowed(draft: Draft, sender: Agent | None) -> Draft:
    return replace(draft, priority=capped(draft.priority, sender)) if draft.priority else draft


def _ways(tx: Transaction, known: Known, draft: Draft) -> list[_Way]:
    found = resolve(tx, known, draft.to, draft.sender)
    if found.pool:
        return [_to_any(tx, known, draft, found)]
    ways = [_to_one(tx, known, draft, name) for name in _told_of(tx, known, draft, found)]
    if not found.group and ways[0].refusal:
        raise (FullError if ways[0].is_full else RefusedError)(ways[0].refusal)
    return ways


def _told_of(tx: Transaction, known: Known, draft: Draft, found: Route) -> Sequence[str]:
    """Return who gets a delivery: an agent that sends to a group is told no name of those that it may not reach."""
    if not found.group or draft.account or draft.kind.automatic or known.agent(draft.sender) is None:
        return found.recipients
    agents = ((name, known.agent(name)) for name in found.recipients)
    reached = [name for name, agent in agents if agent is None or may_reach(tx, known, draft.sender, agent)]
    if not reached:
        raise RefusedError(f"{draft.sender} may not send to any of {draft.to}")
    return reached


def _to_one(tx: Transaction, known: Known, draft: Draft, name: str) -> _Way:
    agent = known.agent(name)
    sender = None if draft.account else known.agent(draft.sender)
    priority = capped(draft.priority or (agent and agent.priority) or Priority.LATER, sender)
    if draft.kind.automatic:
        return _Way(name, priority)
    if agent and not may_reach(tx, known, draft.sender, agent):
        return _Way(name, priority, f"{draft.sender} may not send to {name}")
    if refusal := too_long(agent, draft.body):
        return _Way(name, priority, refusal)
    full = _full(tx, known, name, draft.body)
    return _Way(name, priority, full, is_full=full is not None)


def _to_any(tx: Transaction, known: Known, draft: Draft, found: Route) -> _Way:
    pool = pool_of(tx, known, draft, found)
    if not draft.kind.automatic and (full := _full(tx, known, draft.to, draft.body)):
        raise FullError(full)
    return _Way(draft.to, draft.priority or Priority.LATER, pool=pool)


def pool_of(tx: Transaction, known: Known, said: Draft | Message, found: Route) -> tuple[str, ...]:
    """Return who of a group may take what is for any of them; RefusedError where nobody may."""
    agents = [agent for name in found.recipients if (agent := known.agent(name)) and not agent.reads_inbox]
    if not agents:
        raise RefusedError(f"no relay runs any of {said.to}: they read their inboxes themselves")
    reachable = [agent for agent in agents if may_reach(tx, known, said.sender, agent)]
    if not reachable:
        raise RefusedError(f"{said.sender} may not send to any of {said.to}")
    taking = [agent for agent in reachable if not too_long(agent, said.body)]
    if not taking and not said.kind.automatic:
        raise RefusedError(f"the message is too long for every one of {said.to}")
    return tuple(agent.id for agent in taking or reachable)


def too_long(agent: Agent | None, body: str) -> str | None:
    """Return why a text is too long for an agent's provider, if it is."""
    if agent is None or agent.max_text is None or len(body) <= agent.max_text:
        return None
    return f"the message has {len(body)} characters; {agent.id} takes {agent.max_text}"


def _full(tx: Transaction, known: Known, recipient: str, body: str) -> str | None:
    messages, size = known.queued(recipient)
    if messages >= tx.limits.queued:
        return f"{recipient} is full: {messages} messages wait for it"
    if size + len(body.encode()) > tx.limits.queued_bytes:
        return f"{recipient} is full: {size} bytes wait for it, {tx.limits.queued_bytes} may"
    return None


def _deliver(tx: Transaction, number: int, message: Message, way: _Way, *, held: bool) -> Delivery:
    delivery = write_delivery(tx, number, message, way.recipient, way.priority, held=held)
    if way.pool:
        enter_pool(tx, delivery, way.pool)
    if way.refusal:
        end(tx, head_of(delivery, message), State.REFUSED, way.refusal)
        return lookup.delivery(tx, delivery.id, message)
    if held:
        ask_to_let_go(tx, delivery.id, message)
    return rows.delivery(delivery, message.id)
