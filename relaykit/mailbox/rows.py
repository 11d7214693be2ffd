"""Rows to records. The columns and the functions that take them apart stand together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct, ValidationError
from msgspec.structs import replace

from relaykit.errors import RefusedError
from relaykit.model import (
    Agent,
    Attachment,
    Command,
    CommandKind,
    CommandState,
    Decision,
    Delivery,
    Message,
    MessageKind,
    PermissionRequest,
    Priority,
    Question,
    Reply,
    RequestState,
    State,
    Step,
    Task,
    TaskState,
    Wish,
    from_text,
    to_text,
)


class DeliveryRow(Struct, frozen=True, gc=False):
    """A delivery as it is stored."""

    id: int
    recipient: str
    state: str = State.QUEUED
    reason: str = ""
    rank: int = 0
    attempt: int = 0
    deaths: int = 0
    owner: str | None = None
    epoch: int | None = None
    submission: str | None = None
    session: str | None = None
    turn: str | None = None
    wish: str | None = None
    held: int = 0
    steps: str = ""
    body: str | None = None
    place: int | None = None

    @property
    def order(self) -> tuple[int, int]:
        """What its queue is ordered by."""
        return self.rank, self.id if self.place is None else self.place


PLACE = "coalesce(delivery.place, delivery.id)"
"""Where a delivery stands among those of its rank: where it arrived, unless it was moved."""
DELIVERY = ", ".join(f"delivery.{column}" for column in DeliveryRow.__struct_fields__)
MESSAGE = (
    "message.id, message.sender, message.address, message.body, message.thread, message.priority, message.kind, "
    "message.in_reply_to, message.cause, message.root, message.hops, message.created_at, message.expires_at, "
    "message.account, message.task, message.attachments"
)
JOINED = "FROM delivery JOIN message ON message.number = delivery.message"
BOTH = f"{DELIVERY}, {MESSAGE} {JOINED}"
QUEUED = (
    "delivery.id, delivery.recipient, delivery.rank, delivery.attempt, delivery.deaths, delivery.wish, delivery.steps, "
    f"delivery.body, delivery.place, {MESSAGE} {JOINED}"
)
"""What a lease takes of a delivery that is queued, with its message: it writes the rest anew, and each column costs."""
COMMAND = "id, agent, kind, epoch, state, text, sender, created_at, take_by, result"
PERMISSION = (
    "id, agent, epoch, session, question, state, asked_at, expires_at, decision, decided_by, reason, applied, delivery, "
    "reply"
)
TASK = (
    "task.delivery, message.id, message.task, task.state, task.agent, task.turn, task.note FROM task "
    "JOIN delivery ON delivery.id = task.delivery JOIN message ON message.number = delivery.message"
)
_WIDTH = len(DeliveryRow.__struct_fields__)
_BY_RANK = sorted(Priority, key=lambda priority: priority.rank)
_STATES = {state.value: state for state in State}
KINDS = {kind.value: kind for kind in MessageKind}
_STEPS_KEPT = 60
_AT_EITHER_END = 20
_UNPRINTABLE = dict.fromkeys(range(32), " ")


def step(state: State, at: float, note: str = "") -> str:
    """Return a step as it stands in a delivery's row, so that the next is simply added to it."""
    return f"{_step_begun(state, at)}{line(note)}\x1e"


# All of one transaction have one time, and to write a float takes long.
@lru_cache(maxsize=64)
def _step_begun(state: State, at: float) -> str:
    return f"{state}\x1f{at!r}\x1f"


def line(text: str) -> str:
    """Return a text as one line that can be stored, whatever it came from."""
    if text.isprintable():
        return text
    return storable(text.translate(_UNPRINTABLE))


def storable(text: str) -> str:
    """Return a text as it can be stored: half a surrogate pair has a question mark in its place."""
    return text.encode("utf-8", "replace").decode()


def steps(text: str) -> tuple[Step, ...]:
    """Return the steps of a delivery's row."""
    return tuple(map(_step, text.split("\x1e")[:-1]))


def shortened(text: str) -> str:
    """Return steps without the middle of a long row of them: what is tried for weeks is still one short text.

    Whether a turn ever began with it can still be told.
    """
    if text.count("\x1e") <= _STEPS_KEPT:
        return text
    every = text.split("\x1e")[:-1]
    left_out = every[_AT_EITHER_END:-_AT_EITHER_END]
    state, at, _ = left_out[-1].split("\x1f")
    if any(one.startswith(State.SEEN) for one in left_out):
        state = State.SEEN
    gap = f"{state}\x1f{at}\x1fsteps before this one are left out"
    return "".join(f"{one}\x1e" for one in (*every[:_AT_EITHER_END], gap, *every[-_AT_EITHER_END:]))


# A delivery is read several times on its way, each time with the same first steps.
@lru_cache(maxsize=4096)
def _step(text: str) -> Step:
    state, at, note = text.split("\x1f")
    return Step(_STATES[state], float(at), note)


def delivery(row: DeliveryRow, message_id: str) -> Delivery:
    """Return the delivery of a row."""
    return Delivery(
        id=row.id,
        message=message_id,
        recipient=row.recipient,
        state=_STATES[row.state],
        reason=row.reason,
        priority=_BY_RANK[row.rank],
        attempt=row.attempt,
        deaths=row.deaths,
        owner=row.owner,
        epoch=row.epoch,
        submission=row.submission,
        session=row.session,
        turn=row.turn,
        wish=Wish(row.wish) if row.wish else None,
        held=bool(row.held),
        steps=steps(row.steps),
        body=row.body,
    )


def message(row: Any) -> Message:
    """Return the message of a row of ``MESSAGE``."""
    return Message(
        id=row[0],
        sender=row[1],
        to=row[2],
        body=row[3],
        thread=row[4],
        priority=Priority(row[5]) if row[5] else None,
        kind=KINDS[row[6]],
        in_reply_to=answered(row[7]),
        cause=row[8],
        root=row[9],
        hops=row[10],
        created_at=row[11],
        expires_at=row[12],
        account=row[13] or None,
        task=row[14],
        attachments=_attachments(row[15]) if row[15] else (),
    )


def answered(text: str) -> tuple[str, ...]:
    """Return the ids of the messages that one answers."""
    return tuple(text.split("\n")) if text else ()


def _attachments(text: str) -> tuple[Attachment, ...]:
    return from_text(tuple[Attachment, ...], text)


def dump_attachments(attachments: Sequence[Attachment]) -> str | None:
    """Return a message's attachments as they are stored."""
    return to_text(attachments) if attachments else None


def both(row: Any) -> tuple[DeliveryRow, Message]:
    """Return the delivery and the message of a row of ``BOTH``, the message as it was edited for that delivery."""
    return _as_edited(DeliveryRow(*row[:_WIDTH]), row[_WIDTH:])


def queued(row: Any) -> tuple[DeliveryRow, Message]:
    """Return the delivery and the message of a row of ``QUEUED``."""
    number, recipient, rank, attempt, deaths, wish, steps, body, place = row[:9]
    found = DeliveryRow(
        number, recipient, rank=rank, attempt=attempt, deaths=deaths, wish=wish, steps=steps, body=body, place=place
    )
    return _as_edited(found, row[9:])


def _as_edited(delivery: DeliveryRow, row: Any) -> tuple[DeliveryRow, Message]:
    said = message(row)
    return delivery, said if delivery.body is None else replace(said, body=delivery.body)


def command(row: Any) -> Command:
    """Return the command of a row of ``COMMAND``."""
    return Command(
        id=row[0],
        agent=row[1],
        kind=CommandKind(row[2]),
        epoch=row[3],
        state=CommandState(row[4]),
        text=row[5],
        sender=row[6],
        created_at=row[7],
        take_by=row[8],
        result=row[9],
    )


def permission(row: Any) -> PermissionRequest:
    """Return the request of a row of ``PERMISSION``."""
    return PermissionRequest(
        id=row[0],
        agent=row[1],
        epoch=row[2],
        session=row[3],
        question=from_text(Question, row[4]),
        state=RequestState(row[5]),
        asked_at=row[6],
        expires_at=row[7],
        decision=Decision(row[8]) if row[8] else None,
        decided_by=row[9],
        reason=row[10],
        applied=bool(row[11]),
        delivery=row[12],
        reply=from_text(Reply, row[13]) if row[13] else None,
    )


def task(row: Any) -> Task:
    """Return the task of a row of ``TASK``."""
    delivery, message, title, state, agent, turn, note = row
    return Task(
        delivery=delivery, message=message, title=title, state=TaskState(state), agent=agent, turn=turn, note=note
    )


@lru_cache(maxsize=1024)
def agent(record: str) -> Agent:
    """Return the agent of a stored record."""
    return from_text(Agent, record)


def dump(record: object) -> str:
    """Return a record as it is stored; RefusedError where a value is not of its field's type, for nobody could read it."""
    text = to_text(record)
    try:
        from_text(type(record), text)
    except ValidationError as error:
        raise RefusedError(f"{type(record).__name__}: {error}") from error
    return text
