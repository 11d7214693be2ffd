"""Permission requests: someone asks, the first decision wins."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from relaykit.errors import ClosedRequestError, RefusedError
from relaykit.mailbox import rows
from relaykit.mailbox.asking import write_request
from relaykit.mailbox.ends import end, under_way
from relaykit.mailbox.lookup import full_id
from relaykit.model import Decision, PermissionRequest, Question, Reply, RequestState, State
from relaykit.storage.audience import Audience, told

if TYPE_CHECKING:
    from collections.abc import Collection

    from relaykit.mailbox.transaction import Transaction


_OPEN = "state = 'open'"
_UNTOLD = "state IN ('decided', 'expired') AND applied = 0"


def ask(
    tx: Transaction, agent: str, epoch: int, session: str, question: Question, *, expires_in: float
) -> PermissionRequest:
    """Store a request, or find the one that it repeats, which then goes by the new key.

    That one is open, or has an answer that the session was not told.
    """
    for state in (_OPEN, _UNTOLD):
        if row := _repeated(tx, state, (epoch, question.key, rows.dump(question), agent), session, question):
            return rows.permission(row)
    return write_request(tx, agent, epoch, session, question, expires_in=expires_in)


def _repeated(tx: Transaction, state: str, values: tuple[object, ...], session: str, question: Question) -> Any:
    return tx.row(
        f"UPDATE permission SET epoch = ?, key = ?, question = ? WHERE {state} AND agent = ? AND session = ? "
        "AND digest = ? AND json_extract(question, '$.turn') IS ? AND json_extract(question, '$.item') IS ? "
        f"RETURNING {rows.PERMISSION}",
        *values,
        session,
        question.digest,
        question.turn,
        question.item,
    )


def decide(
    tx: Transaction, request: str, decision: Decision, *, by: str, reason: str = "", reply: Reply | None = None
) -> PermissionRequest:
    """Decide an open request."""
    found = _find(tx, request)
    if found.state is not RequestState.OPEN or found.expires_at <= tx.now:
        state = RequestState.EXPIRED if found.state is RequestState.OPEN else found.state
        raise ClosedRequestError(f"permission request {found.id} is closed: {_closed(found, state)}")
    if decision in (Decision.APPROVE, Decision.APPROVE_FOR_SESSION):
        _check_reply(found, reply)
    row = tx.row(
        "UPDATE permission SET state = 'decided', decision = ?, decided_by = ?, reason = ?, applied = ?, reply = ? "
        f"WHERE id = ? RETURNING {rows.PERMISSION}",
        decision,
        by,
        reason,
        found.delivery is not None,
        None if reply is None else rows.dump(reply),
        found.id,
    )
    if found.delivery is not None:
        _release(tx, found.delivery, decision, by, reason)
    return rows.permission(row)


@told(Audience.NOBODY)
def decided(tx: Transaction, agent: str, epoch: int) -> list[PermissionRequest]:
    """Return requests that have an answer of which the session was not told."""
    found = tx.rows(
        f"SELECT {rows.PERMISSION} FROM permission WHERE {_UNTOLD} AND agent = ? AND epoch = ? ORDER BY number",
        agent,
        epoch,
    )
    return [rows.permission(row) for row in found]


def applied(tx: Transaction, request: str) -> None:
    """Note that the session was told."""
    tx.write("UPDATE permission SET applied = 1 WHERE id = ?", request)


def withdraw(tx: Transaction, session: str, keys: Collection[str] | None, reason: str) -> None:
    """Close open requests of a provider session, all or those of these keys."""
    tx.write(
        "UPDATE permission SET state = 'withdrawn', reason = ? WHERE state = 'open' AND session = ? "
        "AND (? IS NULL OR key IN (SELECT value FROM json_each(?)))",
        reason,
        session,
        None if keys is None else 1,
        json.dumps(list(keys or ())),
    )


@told(Audience.NOBODY)
def permissions(tx: Transaction, *, all: bool = False) -> list[PermissionRequest]:
    """Return the open requests, oldest first; with ``all`` the closed ones, too."""
    condition = "1" if all else "state = 'open'"
    # Sorted rather than walked through in order, so that the index on what is open is used.
    found = tx.rows(f"SELECT {rows.PERMISSION} FROM permission WHERE {condition} ORDER BY +number")
    return [rows.permission(row) for row in found]


def expire_requests(tx: Transaction) -> None:
    """Close requests that nobody answered in time: a denial."""
    late = tx.rows(
        "UPDATE permission SET state = 'expired', reason = 'nobody answered in time', applied = delivery IS NOT NULL "
        "WHERE state = 'open' AND expires_at <= ? RETURNING delivery",
        tx.now,
    )
    for (delivery,) in late:
        if delivery is not None:
            _release(tx, delivery, Decision.DENY, "", "nobody answered in time")


def _find(tx: Transaction, request: str) -> PermissionRequest:
    known = full_id(tx, "permission", request)
    return rows.permission(tx.row(f"SELECT {rows.PERMISSION} FROM permission WHERE id = ?", known))


def _check_reply(request: PermissionRequest, reply: Reply | None) -> None:
    """Raise RefusedError where what goes with an approval is not what is asked for."""
    question, answers = request.question, reply.answers if reply is not None else ()
    if len(answers) != len(question.choices) and (answers or question.needs_answers):
        asked = "; ".join(f"{one.question} ({', '.join(one.options)})" for one in question.choices)
        wanted = f"--answer for each of: {asked}" if asked else "no answer"
        raise RefusedError(f"permission request {request.id} takes {wanted}")
    if reply is not None and reply.input is not None and question.input is None:
        raise RefusedError(f"permission request {request.id} takes no other input; approve or deny it as it is")


def _closed(request: PermissionRequest, state: RequestState) -> str:
    if request.decision is None:
        return state.value + (f" ({request.reason})" if request.reason else "")
    return f"{request.decision.value} by {request.decided_by}"


def _release(tx: Transaction, delivery: int, decision: Decision, by: str, reason: str) -> None:
    """Let a held delivery go on, or end it."""
    for held in under_way(tx, "delivery.id = ? AND held = 1", delivery):
        if decision in (Decision.DENY, Decision.ABORT):
            end(tx, held, State.REFUSED, reason or f"{by} held it back")
        else:
            note = rows.step(State.QUEUED, tx.now, f"let go on by {by}")
            tx.write("UPDATE delivery SET held = 0, steps = steps || ? WHERE id = ?", note, delivery)
