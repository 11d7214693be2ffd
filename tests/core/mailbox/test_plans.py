"""However many deliveries have ended, a query touches only what it is about."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox import (
    attention,
    conversing,
    directory,
    freeing,
    leases,
    letters,
    orders,
    permissions,
    queueing,
    reading,
    recall,
    retention,
    settling,
    tasks,
)
from relaykit.mailbox.door import Door, open_door
from relaykit.model import USER, Agent, CommandKind, Decision, Draft, MessageKind, Noted, Question, State, TaskState
from relaykit.plugin import Joining

GROWS = ("message", "delivery", "answer", "tombstone", "command", "permission")
SMALL = ("delivery_leased", "delivery_expiry", "command_open", "permission_open")
"""Indexes of what is under way: to walk through one of them is to walk through little."""
SWEEPS = ("DELETE FROM command", "DELETE FROM permission")
"""Once in a while, through what is kept for a month and was made by hand."""


@contextmanager
def statements(door: Door) -> Iterator[list[str]]:
    """Every statement that is run meanwhile."""
    found: list[str] = []
    connection = door._database.connection
    connection.set_trace_callback(found.append)
    yield found
    connection.set_trace_callback(None)


def scans(connection: sqlite3.Connection, statement: str) -> list[str]:
    plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
    return [
        step
        for *_, step in plan
        if step.startswith("SCAN") and step.split()[1] in GROWS and step.split()[-1] not in SMALL
    ]


def live(door: Door) -> None:
    """Do all that is done in an ordinary life of a mailbox."""
    claim = door.run(directory.claim, Agent(id="a", provider="echo", cwd="/", tags=("x",)), "relay-1")
    holder = {"owner": "relay-1", "epoch": claim.epoch, "submission": "s", "session": "s"}
    door.run(letters.put, Draft(sender=USER, to="a", body="later", id="moved"))
    for to in ("a", "any:tag:x", "broadcast", "x@dock"):
        door.run(letters.put, Draft(sender=USER, to=to, body="hello", id=f"id-{to}", expires_at=1e12), waits=5)
    door.run(queueing.edit, "id-any:tag:x", "other")
    door.run(queueing.move, "id-a", before="moved")
    door.run(letters.put, Draft(sender=USER, to="any:tag:x", body="work", id="work", task="work"))
    door.run(tasks.claim_task, "work", "a")
    first = door.run(leases.lease, "a", **holder)
    assert first is not None
    door.run(leases.note, [Noted(lease=first.lease, at=1.0), Noted(lease=first.lease, at=2.0, turn="turn")])
    door.run(letters.put, Draft(sender="a", to=USER, body="hello"), waits=5)
    door.run(leases.lease, "a", **holder, joining=Joining(thread="t", recipient=USER))
    door.run(tasks.set_task, "work", "a", TaskState.IN_PROGRESS)
    door.run(conversing.thread, "id-a", "a")
    door.run(conversing.react, "id-a", "a", "seen")
    door.run(conversing.answer, "a", "id-a", "at once", id="early")
    door.run(conversing.reachable, "a")
    reply = Draft(sender="a", to="y@dock", body="done", kind=MessageKind.REPLY, thread="t")
    door.run(settling.settle, [first.lease], State.FAILED, "why", reply=reply)
    for message in ("id-a", "id-any:tag:x", "id-bro"):
        door.run(reading.trace, message)
        door.run(reading.replies, message)
    door.run(recall.requeue, "id-a")
    door.run(recall.cancel, "id-a")
    out = door.run(leases.lease_outgoing, "x@dock", owner="relay-1")
    assert out is not None
    door.run(leases.release, out.lease, "later")
    door.run(leases.outgoing, "dock")
    door.run(leases.outgoing, None)
    shown = door.run(reading.inbox, USER, ended=True)
    door.run(reading.acknowledge, [item.delivery.id for item in shown], "shown")
    request = door.run(permissions.ask, "a", 1, "s", Question(key="k", action="tool", title="t"), expires_in=60)
    door.run(permissions.decide, request.id, Decision.DENY, by=USER)
    door.run(permissions.decided, "a", 1)
    door.run(permissions.withdraw, "s", ["k"], "gone")
    door.run(permissions.permissions)
    order = door.run(orders.order, "a", CommandKind.COMPACT, sender=USER)
    door.run(orders.orders, "a", claim.epoch)
    door.run(orders.command, order.id)
    door.run(attention.waiting, ["a"])
    door.run(directory.agents)
    door.run(freeing.release_stale, "boot", 0.0)
    door.run(directory.claim, Agent(id="a", provider="echo", cwd="/"), "relay-2")
    door.run(retention.tick)
    door.run(retention.sweep, settled_before=1e12, keys_before=1e12)


def test_no_statement_walks_through_all_there_ever_was(tmp_path: Path) -> None:
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        with statements(door) as found:
            live(door)
        connection = door._database.connection
        asked = [one for one in found if one.split()[0] in ("SELECT", "UPDATE", "DELETE", "INSERT")]
        bad = {one: plan for one in asked if not one.startswith(SWEEPS) and (plan := scans(connection, one))}
    assert len(asked) > 100
    assert not bad, json.dumps(bad, indent=1)
