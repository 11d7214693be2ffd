"""Tasks: whose they are, and what their agents say of them. How they follow their deliveries stands in the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.errors import NotFoundError, RefusedError
from relaykit.mailbox import lookup, rows
from relaykit.model import Task, TaskState
from relaykit.storage.audience import Audience, told

if TYPE_CHECKING:
    from relaykit.mailbox.transaction import Transaction

_NOTE = 1000
"""Characters that an agent may say of a task."""
# What came to one agent alone nobody else can go on with.
_HELD = ("state = 'claimed'", "state = 'in progress' AND delivery IN (SELECT delivery FROM pool)")
_SAID = {TaskState.IN_PROGRESS, TaskState.DONE, TaskState.FAILED}


@told(Audience.NOBODY)
def task(tx: Transaction, message: str, agent: str) -> Task:
    """Return the task that a message brought to an agent, or that the agent has given away with it.

    Of several deliveries the agent's own comes first. NotFoundError where the agent has no part in it.
    """
    number, found = lookup.exact(tx, message)
    tasks = lookup.tasks(tx, number)
    own = [one for one in tasks if _is_for(tx, one, agent)] or [one for one in tasks if found.sender == agent]
    if not own:
        raise NotFoundError(f"message {message!r} brought no task to {agent}")
    return own[0]


def claim_task(tx: Transaction, message: str, agent: str) -> Task:
    """Claim an open task, so that of a group nobody else takes it; the claim holds while the agent's relay lives."""
    found = _own(tx, message, agent)
    if found.agent not in (None, agent):
        raise RefusedError(f"task {found.title!r} is {found.state}: {found.agent} has it")
    tx.write(
        "UPDATE task SET state = 'claimed', agent = ? WHERE delivery = ? AND state = 'open'", agent, found.delivery
    )
    return _again(tx, found)


def set_task(tx: Transaction, message: str, agent: str, state: TaskState, note: str = "") -> Task:
    """Note what the agent that has a task says of it; how its turn ends changes no end that it said."""
    found = _own(tx, message, agent)
    if state not in _SAID:
        raise RefusedError(f"a task is set to in progress, done or failed; {state!r} comes by itself, or by a claim")
    if found.agent != agent:
        raise RefusedError(f"task {found.title!r} is {found.state}; claim it first")
    if len(note) > _NOTE:
        raise RefusedError(f"a note on a task has at most {_NOTE} characters; send a message for more")
    ended = state is not TaskState.IN_PROGRESS
    tx.write(
        "UPDATE task SET state = ?, note = ?, said = ? WHERE delivery = ?",
        state,
        rows.storable(note),
        ended,
        found.delivery,
    )
    return _again(tx, found)


def free_claims(tx: Transaction, beaten_since: float) -> int:
    """Open the tasks that are held by agents whose relays have stopped to live, and wait; return how many."""
    return sum(
        tx.write(
            f"UPDATE task SET state = 'open', agent = NULL, note = '' WHERE {held} AND agent NOT IN ("
            "SELECT agent.id FROM agent JOIN relay ON relay.incarnation = agent.owner WHERE beat >= ?) "
            "AND delivery IN (SELECT id FROM delivery WHERE id = task.delivery AND state = 'queued')",
            beaten_since,
        )
        for held in _HELD
    )


def _own(tx: Transaction, message: str, agent: str) -> Task:
    found = task(tx, message, agent)
    if not _is_for(tx, found, agent):
        raise RefusedError(f"task {found.title!r} is not {agent}'s to work on: it gave it away")
    return found


def _is_for(tx: Transaction, task: Task, agent: str) -> bool:
    return (
        tx.row(
            "SELECT 1 FROM delivery WHERE id = ? AND (recipient = ? OR EXISTS "
            "(SELECT 1 FROM pool WHERE pool.delivery = id AND pool.agent = ?))",
            task.delivery,
            agent,
            agent,
        )
        is not None
    )


def _again(tx: Transaction, found: Task) -> Task:
    return rows.task(tx.row(f"SELECT {rows.TASK} WHERE task.delivery = ?", found.delivery))
