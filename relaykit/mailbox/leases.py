"""A worker's way with deliveries. Every write names its lease, and one that is no longer good changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from relaykit.errors import LeaseLostError, NotFoundError
from relaykit.mailbox import rows
from relaykit.mailbox.chain import reply_to
from relaykit.mailbox.directory import say
from relaykit.mailbox.ends import end, under_way
from relaykit.mailbox.heads import head_of
from relaykit.mailbox.rows import DeliveryRow
from relaykit.model import Lease, LeasedDelivery, Message, State, Wish
from relaykit.storage.audience import Audience, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.mailbox.transaction import Transaction
    from relaykit.model import Noted, Report
    from relaykit.plugin.mailbox import Joining

HELD = "id = ? AND owner = ? AND epoch = ? AND attempt = ?"
"""The compare in every compare-and-set; takes the fields of a lease."""
_READY = "ended_at IS NULL AND state = 'queued' AND held = 0"
_CLAIM = "SELECT EXISTS (SELECT 1 FROM pool WHERE agent = id) FROM agent WHERE id = ? AND epoch = ? AND owner = ?"
"""Whether the claim is good, and if so, whether a delivery to any of a group may be the agent's."""
_OWN = (
    f"SELECT {rows.QUEUED} WHERE recipient = ? AND {_READY} AND EXISTS (SELECT 1 FROM agent WHERE id = ? AND epoch = ? "
    f"AND owner = ?) AND NOT EXISTS (SELECT 1 FROM pool WHERE agent = ?) ORDER BY rank, {rows.PLACE} LIMIT 1"
)
"""The first in an agent's own queue, where the claim is good and nothing else may be its."""
NOT_ANOTHERS = (
    "NOT EXISTS (SELECT 1 FROM task WHERE task.delivery = pool.delivery AND task.agent <> pool.agent "
    "AND (task.said = 0 OR task.state = 'done'))"
)
"""Of what waits for any of a group: nobody else has claimed its task, or has done it."""


@told(Audience.OTHERS)
def lease(
    tx: Transaction,
    agent: str,
    *,
    owner: str,
    epoch: int,
    submission: str,
    session: str,
    joining: Joining | None = None,
) -> LeasedDelivery | None:
    """Lease the agent's next delivery for a hand-over; what has expired is ended on the way."""
    while (row := _next(tx, agent, owner, epoch, joining)) is not None:
        delivery, message = rows.queued(row)
        if not _expired(tx, delivery, message):
            return _lease(
                tx, delivery, message, recipient=agent, owner=owner, epoch=epoch, submission=submission, session=session
            )
    return None


def lease_outgoing(tx: Transaction, recipient: str, *, owner: str) -> LeasedDelivery | None:
    """Lease the next delivery to a person or through a transport. No agent runs it, so its epoch is 0."""
    if tx.row("SELECT 1 FROM delivery WHERE recipient = ? AND owner IS NOT NULL LIMIT 1", recipient):
        return None  # whoever has it, and lives or not: a later one would overtake it
    while (row := _first(tx, recipient)) is not None:
        delivery, message = rows.queued(row)
        if not _expired(tx, delivery, message):
            return _lease(tx, delivery, message, recipient=recipient, owner=owner, epoch=0)
    return None


@told(Audience.NOBODY)
def leased(tx: Transaction, delivery: int) -> LeasedDelivery:
    """Return a delivery with its message and whom it answers."""
    row = tx.row(f"SELECT {rows.BOTH} WHERE delivery.id = ?", delivery)
    if row is None:
        raise NotFoundError(f"there is no delivery {delivery}")
    return _as_leased(tx, *rows.both(row))


def relet(
    tx: Transaction, lease: Lease, *, submission: str, session: str, note: str, anew: bool = False
) -> LeasedDelivery:
    """Take a new attempt at a delivery that is held, under a new submission id. A cancelled one stays cancelled."""
    # What was begun was seen, whether or not its worker lived to note that.
    before = State.QUEUED if anew else State.SEEN
    came = "" if _state(tx, lease) is before else rows.step(before, tx.now, note)
    _shorten(tx, lease.delivery)
    _write(
        tx,
        lease,
        "state = 'leased', attempt = attempt + 1, submission = ?, session = ?, handed_in = epoch, turn = NULL, "
        "wish = iif(wish = 'cancel', wish, NULL)",
        came + rows.step(State.LEASED, tx.now, note),
        submission,
        session,
    )
    return leased(tx, lease.delivery)


@told(Audience.OTHERS)
def forgive(tx: Transaction, lease: Lease) -> LeasedDelivery:
    """Take back the death that the claim counted: the text had not been handed over to the process that died."""
    step = rows.step(_state(tx, lease), tx.now, "no death of its own: it had not been handed over")
    _write(tx, lease, "deaths = deaths - 1", step)
    return leased(tx, lease.delivery)


@told(Audience.OTHERS)
def note(tx: Transaction, steps: Sequence[Noted], report: Report | None = None) -> None:
    """Record what a worker has learnt since it last did; all or nothing."""
    for lease in dict.fromkeys(step.lease for step in steps):
        _note(tx, lease, [step for step in steps if step.lease == lease])
    if report is not None:
        say(tx, report)


def release(tx: Transaction, lease: Lease, reason: str) -> None:
    """Queue it again at its place, nothing counted; to any of a group if it came so. A cancelled one ends."""
    _state(tx, lease)
    (head,) = under_way(tx, "delivery.id = ?", lease.delivery)
    if head.wish == Wish.CANCEL:
        end(tx, head, State.CANCELLED, reason)
        return
    _write(
        tx,
        lease,
        "state = 'queued', reason = ?, recipient = ?, owner = NULL, epoch = NULL, turn = NULL, wish = NULL",
        rows.step(State.QUEUED, tx.now, reason),
        rows.line(reason),
        head.to if head.to.startswith("any:") else head.recipient,
    )


def wish(tx: Transaction, lease: Lease, wish: Wish) -> None:
    """Record why the turn is asked to end, before it is asked. What stands already is not written again."""
    state = _state(tx, lease)
    (before,) = tx.row("SELECT wish FROM delivery WHERE id = ?", lease.delivery)
    standing = Wish(before) if before else None
    if wish.over(standing) is not standing:
        _write(tx, lease, "wish = ?", rows.step(state, tx.now, f"to be ended: {wish}"), wish)


@told(Audience.NOBODY)
def outgoing(tx: Transaction, transport: str | None) -> list[str]:
    """Return the recipients beyond a transport, or the people where it is None, for whom something waits."""
    beyond = "instr(recipient, '@') > 0 AND substr(recipient, instr(recipient, '@') + 1) = ?"
    people = "? IS NULL AND recipient NOT GLOB 'any:*' AND instr(recipient, '@') = 0 AND recipient NOT IN (SELECT id FROM agent)"
    return tx.column(
        f"SELECT recipient FROM queue WHERE messages > 0 AND {people if transport is None else beyond} "
        f"AND EXISTS (SELECT 1 FROM delivery WHERE delivery.recipient = queue.recipient AND {_READY})",
        transport,
    )


def lost(lease: Lease) -> LeaseLostError:
    """Return the error for a write that came too late."""
    return LeaseLostError(f"delivery {lease.delivery} is no longer leased as attempt {lease.attempt} of {lease.owner}")


def fields(lease: Lease) -> tuple[int, str, int, int]:
    """Return what ``HELD`` takes."""
    return lease.delivery, lease.owner, lease.epoch, lease.attempt


def _next(tx: Transaction, agent: str, owner: str, epoch: int, joining: Joining | None) -> Any:
    if joining is None and (row := tx.row(_OWN, agent, agent, epoch, owner, agent)) is not None:
        return row
    claim = tx.row(_CLAIM, agent, epoch, owner)
    if claim is None:
        raise LeaseLostError(f"{agent} is run by someone else: epoch {epoch} is over")
    return _next_of_all(tx, agent, joining, pooled=claim[0])


def _next_of_all(tx: Transaction, agent: str, joining: Joining | None, *, pooled: bool) -> Any:
    if joining is not None:
        return tx.row(
            f"SELECT {rows.QUEUED} WHERE delivery.recipient = ? AND rank = 1 AND {_READY} "
            f"AND thread = ? AND sender = ? AND kind = 'message' ORDER BY {rows.PLACE} LIMIT 1",
            agent,
            joining.thread,
            joining.recipient,
        )
    if not pooled:
        return None  # its own queue was looked into
    found = [row for row in (_first(tx, agent), _first_of_pool(tx, agent)) if row is not None]
    return min(found, key=lambda row: rows.queued(row)[0].order, default=None)


def _first(tx: Transaction, recipient: str) -> Any:
    return tx.row(
        f"SELECT {rows.QUEUED} WHERE recipient = ? AND {_READY} ORDER BY rank, {rows.PLACE} LIMIT 1", recipient
    )


def _first_of_pool(tx: Transaction, agent: str) -> Any:
    return tx.row(
        f"SELECT {rows.QUEUED} JOIN pool ON pool.delivery = delivery.id "
        f"WHERE pool.agent = ? AND {_READY} AND {NOT_ANOTHERS} ORDER BY pool.rank, pool.place LIMIT 1",
        agent,
    )


def _expired(tx: Transaction, delivery: DeliveryRow, message: Message) -> bool:
    """End a delivery whose time is over, and say so. One that was queued once more has no time any more."""
    if message.expires_at is None:
        return False
    (expires_at,) = tx.row("SELECT expires_at FROM delivery WHERE id = ?", delivery.id)
    if expires_at is None or expires_at > tx.now:
        return False
    end(tx, head_of(delivery, message), State.EXPIRED, "its time was over before it was its turn")
    return True


def _lease(
    tx: Transaction,
    delivery: DeliveryRow,
    message: Message,
    *,
    recipient: str,
    owner: str,
    epoch: int,
    submission: str | None = None,
    session: str | None = None,
) -> LeasedDelivery:
    leased = replace(
        delivery,
        state=State.LEASED,
        reason="",
        recipient=recipient,
        attempt=delivery.attempt + 1,
        owner=owner,
        epoch=epoch,
        submission=submission,
        session=session,
        turn=None,
        steps=rows.shortened(delivery.steps) + rows.step(State.LEASED, tx.now, f"attempt {delivery.attempt + 1}"),
    )
    # To write the same recipient again would write its indexes again.
    its_own = recipient == delivery.recipient
    tx.write(
        f"UPDATE delivery SET {'' if its_own else 'recipient = ?, '}state = 'leased', reason = '', attempt = ?, owner = ?, "
        "epoch = ?, submission = ?, session = ?, handed_in = ?, turn = NULL, steps = ? WHERE id = ?",
        *(() if its_own else (recipient,)),
        leased.attempt,
        owner,
        epoch,
        submission,
        session,
        epoch if submission else None,
        leased.steps,
        leased.id,
    )
    return _as_leased(tx, leased, message)


def _as_leased(tx: Transaction, row: DeliveryRow, message: Message) -> LeasedDelivery:
    delivery = rows.delivery(row, message.id)
    return LeasedDelivery(
        delivery=delivery,
        message=message,
        # One that has ended is under no lease: a write with this one is refused.
        lease=delivery.lease or Lease(delivery.id, "", 0, delivery.attempt),
        reply_to=reply_to(tx, delivery.recipient, message),
    )


def _note(tx: Transaction, lease: Lease, steps: Sequence[Noted]) -> None:
    state, turn, text = _state(tx, lease), None, ""
    for step in steps:
        if step.turn is not None and state is not State.SEEN:
            state, turn = State.SEEN, step.turn
            text += rows.step(state, step.at, f"turn {turn}")
        elif state is State.LEASED:  # the provider may have said already that it has begun
            state = State.DELIVERED
            text += rows.step(state, step.at)
    if text:
        _write(tx, lease, "state = ?, turn = coalesce(?, turn)", text, state, turn)


def _shorten(tx: Transaction, delivery: int) -> None:
    (steps,) = tx.row("SELECT steps FROM delivery WHERE id = ?", delivery)
    if (short := rows.shortened(steps)) is not steps:
        tx.write("UPDATE delivery SET steps = ? WHERE id = ?", short, delivery)


def _state(tx: Transaction, lease: Lease) -> State:
    row = tx.row(f"SELECT state FROM delivery WHERE {HELD}", *fields(lease))
    if row is None:
        raise lost(lease)
    return State(row[0])


def _write(tx: Transaction, lease: Lease, sets: str, step: str, *values: object) -> None:
    changed = tx.write(f"UPDATE delivery SET {sets}, steps = steps || ? WHERE {HELD}", *values, step, *fields(lease))
    if not changed:
        raise lost(lease)
