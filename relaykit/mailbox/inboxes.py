"""Agents that no relay runs: each reads its inbox itself, and takes from it what it has read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from relaykit.errors import NotFoundError, RefusedError
from relaykit.mailbox import rows
from relaykit.mailbox.directory import Known
from relaykit.mailbox.ends import end, under_way
from relaykit.mailbox.reading import item
from relaykit.model import OFFLINE, State
from relaykit.storage.audience import Audience, told

if TYPE_CHECKING:
    from collections.abc import Collection

    from relaykit.mailbox.transaction import Transaction
    from relaykit.model import Agent, InboxItem

_WAITS = "ended_at IS NULL AND held = 0"


def enroll(tx: Transaction, agent: Agent) -> None:
    """Enter an agent that reads its inbox itself, offline, or what is now known of it."""
    known = Known(tx)
    there = known.agent(agent.id)
    if not agent.reads_inbox or (there is not None and not there.reads_inbox):
        raise RefusedError(f"{agent.id} is an agent that relays run")
    if there is None and known.is_person(agent.id):
        raise RefusedError(f"{agent.id} is the name of a person here")
    tx.write(
        "INSERT INTO agent (id, record, epoch, status) VALUES (?, ?, 0, ?) "
        "ON CONFLICT DO UPDATE SET record = excluded.record",
        agent.id,
        rows.dump(agent),
        rows.dump(OFFLINE),
    )


def dismiss(tx: Transaction, agent: str) -> None:
    """Take such an agent out; what waits for it ends refused."""
    _check(tx, agent)
    for head in under_way(tx, "delivery.recipient = ?", agent):
        end(tx, head, State.REFUSED, f"{agent} was removed")
    tx.write("DELETE FROM agent WHERE id = ?", agent)


@told(Audience.NOBODY)
def unread(tx: Transaction, agent: str, *, after: int = 0, limit: int = 50) -> list[InboxItem]:
    """Return what it has not taken yet, in the order of arrival."""
    found = tx.rows(
        f"SELECT {rows.BOTH} WHERE recipient = ? AND {_WAITS} AND delivery.id > ? ORDER BY delivery.id LIMIT ?",
        agent,
        after,
        limit,
    )
    return [item(tx, *rows.both(row)) for row in found]


def take(tx: Transaction, agent: str, messages: Collection[str], note: str) -> list[str]:
    """End its deliveries of these messages as acknowledged; return whose there were."""
    _check(tx, agent)
    asked = json.dumps(list(messages))
    found = under_way(
        tx, "recipient = ? AND held = 0 AND message.id IN (SELECT value FROM json_each(?)) ", agent, asked
    )
    for head in found:
        end(tx, head, State.ACKNOWLEDGED, note)
    return [head.id for head in found]


@told(Audience.NOBODY)
def arrived(
    tx: Transaction, after: int | None, recipients: Collection[str], *, limit: int = 500
) -> tuple[int, list[InboxItem]]:
    """Return the last arrival number, and what has come for some recipients since one."""
    (last,) = tx.row("SELECT coalesce(max(id), 0) FROM delivery")
    if after is None or last <= after:
        return max(last, after or 0), []
    found = tx.rows(  # the plus signs: what is new is looked through, not what the recipients have
        f"SELECT {rows.BOTH} WHERE delivery.id > ? AND +ended_at IS NULL AND held = 0 "
        "AND +recipient IN (SELECT value FROM json_each(?)) ORDER BY delivery.id LIMIT ?",
        after,
        json.dumps(list(recipients)),
        limit,
    )
    items = [item(tx, *rows.both(row)) for row in found]
    return (items[-1].delivery.id if len(items) == limit else last), items


def _check(tx: Transaction, agent: str) -> None:
    found = Known(tx).agent(agent)
    if found is None or not found.reads_inbox:
        raise NotFoundError(f"no agent that reads its inbox itself is called {agent!r}")
