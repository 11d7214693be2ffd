"""Who is known, and who runs whom."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from relaykit.errors import AlreadyRunError, LeaseLostError
from relaykit.mailbox import rows
from relaykit.model import (
    OFFLINE,
    USER,
    Agent,
    Claim,
    DirectoryEntry,
    RelayRecord,
    State,
    Status,
    StatusKind,
    WorkItem,
    from_text,
)
from relaykit.storage.audience import Audience, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.mailbox.transaction import Transaction
    from relaykit.model import Report


# What a provider says of itself is known from its last life until it says so again.
_CLAIMED = (
    "iif(json_extract(record, '$.provider') = json_extract(excluded.record, '$.provider') "
    "AND json_extract(excluded.record, '$.max_text') IS NULL, "
    "json_set(excluded.record, '$.max_text', json_extract(record, '$.max_text'), "
    "'$.able', json_extract(record, '$.able')), excluded.record)"
)
# Who sends to an agent wants to know both.
_WITH_QUEUE = (
    "SELECT record, coalesce(messages, 0), coalesce(bytes, 0) FROM agent LEFT JOIN queue ON recipient = id WHERE id = ?"
)
_HELD = (
    "SELECT agent.id, message.id, delivery.steps FROM agent JOIN delivery ON delivery.recipient = agent.id "
    "AND delivery.owner IS NOT NULL JOIN message ON message.number = delivery.message ORDER BY agent.id, delivery.id"
)


class Known:
    """The agents and people that the mailbox knows: what routers look into."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self._found: dict[str, Agent | None] = {USER: None}  # no agent is called so
        self._queued: dict[str, tuple[int, int]] = {}

    def agent(self, name: str) -> Agent | None:
        """Return the agent of that id."""
        if name not in self._found:
            row = self.tx.row(_WITH_QUEUE, name)
            self._found[name] = rows.agent(row[0]) if row else None
            if row:
                self._queued[name] = row[1:]
        return self._found[name]

    def queued(self, recipient: str) -> tuple[int, int]:
        """Return how many messages, and bytes, were queued for a recipient when it was first looked for."""
        if recipient not in self._queued:
            found = self.tx.row("SELECT messages, bytes FROM queue WHERE recipient = ?", recipient)
            self._queued[recipient] = found or (0, 0)
        return self._queued[recipient]

    def agents(self) -> Sequence[Agent]:
        """Return all agents, by id."""
        return self._agents

    @cached_property
    def _agents(self) -> list[Agent]:
        return [rows.agent(record) for record in self.tx.column("SELECT record FROM agent ORDER BY id")]

    def is_person(self, name: str) -> bool:
        """Whether a person of that name has sent something from here, or is ``user``."""
        return name == USER or self.tx.row("SELECT 1 FROM person WHERE name = ?", name) is not None


def join(tx: Transaction, relay: RelayRecord) -> None:
    """Enter a running relay."""
    tx.write("INSERT OR REPLACE INTO relay VALUES (?, ?, ?, ?)", relay.incarnation, relay.pid, relay.boot, relay.beat)


def beat(tx: Transaction, incarnation: str, boot: str, at: float) -> None:
    """Say that the relay lives."""
    tx.write("UPDATE relay SET boot = ?, beat = ? WHERE incarnation = ?", boot, at, incarnation)


def claim(tx: Transaction, agent: Agent, incarnation: str, *, deaths: bool = True) -> Claim:
    """Enter or update the agent, raise its epoch and take over what an older epoch had leased."""
    there = Known(tx).agent(agent.id)
    if there is not None and there.reads_inbox:
        raise AlreadyRunError(f"{agent.id!r} is an agent of {there.provider} here; give yours another name")
    again = tx.row("SELECT 1 FROM agent WHERE id = ? AND owner = ?", agent.id, incarnation) is not None
    (epoch,) = tx.row(
        "INSERT INTO agent (id, record, epoch, owner, status) VALUES (?, ?, 1, ?, ?) ON CONFLICT DO UPDATE "
        f"SET record = {_CLAIMED}, epoch = epoch + 1, owner = excluded.owner, pid = NULL RETURNING epoch",
        agent.id,
        rows.dump(agent),
        incarnation,
        rows.dump(OFFLINE),
    )
    tx.write("DELETE FROM person WHERE name = ?", agent.id)
    if again:
        _carry_over(tx, agent.id, epoch)
    _close_orders(tx, agent.id, epoch, "the agent was restarted", done=("stop", "kill", "restart"))
    found = _take_over(tx, agent.id, incarnation, epoch, deaths)
    return Claim(
        agent=agent.id,
        epoch=epoch,
        abandoned=tuple(number for number, _ in found),
        counted=tuple(number for number, counts in found if counts),
    )


def describe(tx: Transaction, agent: Agent, epoch: int) -> None:
    """Enter what is now known of an agent that is run."""
    if not tx.write("UPDATE agent SET record = ? WHERE id = ? AND epoch = ?", rows.dump(agent), agent.id, epoch):
        raise LeaseLostError(f"{agent.id} is run by someone else: epoch {epoch} is over")


def retire(tx: Transaction, agent: str, epoch: int, status: Status) -> None:
    """Note that the agent is no longer run; orders to stop or kill it have succeeded, others have failed."""
    _write_status(tx, agent, epoch, status, "owner = NULL, pid = NULL")
    _close_orders(tx, agent, epoch + 1, "the agent was stopped", done=("stop", "kill"))


def say(tx: Transaction, report: Report) -> None:
    """Say how an agent is."""
    _write_status(tx, report.agent, report.epoch, report.status, "pid = ?, session = ?", report.pid, report.session)


@told(Audience.NOBODY)
def agents(tx: Transaction) -> list[DirectoryEntry]:
    """Return the directory, by id."""
    held = _held(tx)
    found = tx.rows(
        "SELECT id, record, epoch, owner, pid, session, status, coalesce(messages, 0), coalesce(bytes, 0) "
        "FROM agent LEFT JOIN queue ON queue.recipient = agent.id ORDER BY agent.id"
    )
    return [
        DirectoryEntry(
            agent=rows.agent(record),
            epoch=epoch,
            owner=owner,
            pid=pid,
            session=session,
            status=_by_work(from_text(Status, status), held.get(name, ())),
            queued=queued,
            queued_bytes=queued_bytes,
        )
        for name, record, epoch, owner, pid, session, status, queued, queued_bytes in found
    ]


@told(Audience.NOBODY)
def relays(tx: Transaction) -> list[RelayRecord]:
    """Return the relays that have entered."""
    found = tx.rows("SELECT incarnation, pid, boot, beat FROM relay ORDER BY incarnation")
    return [RelayRecord(incarnation=name, pid=pid, boot=boot, beat=beat) for name, pid, boot, beat in found]


def _held(tx: Transaction) -> dict[str, list[tuple[str, float]]]:
    """Return the messages that are under a lease, by who has it, and since when."""
    held: dict[str, list[tuple[str, float]]] = {}
    for agent, message, steps in tx.rows(_HELD):
        handed = [step.at for step in rows.steps(steps) if step.state is State.LEASED]
        held.setdefault(agent, []).append((message, handed[-1] if handed else 0.0))
    return held


def _by_work(status: Status, held: Sequence[tuple[str, float]]) -> Status:
    """Return how an agent is by what it holds: what its worker said of a turn that is quickly over comes late."""
    if not held or status.kind is not StatusKind.IDLE:
        return status
    work = tuple(WorkItem(kind="message", id=message) for message, _ in held)
    return Status(kind=StatusKind.BUSY, reason="turn", since=min(since for _, since in held), work=work)


def _write_status(tx: Transaction, agent: str, epoch: int, status: Status, sets: str, *values: object) -> None:
    if not tx.write(
        f"UPDATE agent SET status = ?, {sets} WHERE id = ? AND epoch = ?", rows.dump(status), *values, agent, epoch
    ):
        raise LeaseLostError(f"{agent} is run by someone else: epoch {epoch} is over")


def _carry_over(tx: Transaction, agent: str, epoch: int) -> None:
    """Hand orders to end an agent on to the next epoch of the relay that runs it: its lock was not free in between."""
    tx.write(
        "UPDATE command SET epoch = ? "
        "WHERE agent = ? AND kind IN ('stop', 'kill') AND state IN ('accepted', 'running')",
        epoch,
        agent,
    )


def _close_orders(tx: Transaction, agent: str, before: int, why: str, *, done: Sequence[str]) -> None:
    marks = ", ".join("?" * len(done))
    tx.write(
        f"UPDATE command SET state = iif(kind IN ({marks}), 'succeeded', 'failed'), result = ? "
        "WHERE agent = ? AND state IN ('accepted', 'running') AND epoch < ?",
        *done,
        why,
        agent,
        before,
    )


def _take_over(tx: Transaction, agent: str, incarnation: str, epoch: int, deaths: bool) -> list[tuple[int, bool]]:
    """Lease to this epoch what an older one had leased; return it, and for which of it a death was counted.

    All of it may be handed over: each lease names a submission. What has none was on its way to a person of that name, who is an agent now.
    """
    tx.write(
        "UPDATE delivery SET state = 'queued', reason = ?, owner = NULL, epoch = NULL, steps = steps || ? "
        "WHERE recipient = ? AND owner IS NOT NULL AND submission IS NULL",
        why := "it was on its way to a person, and its recipient is an agent now",
        rows.step(State.QUEUED, tx.now, why),
        agent,
    )
    # A death counts where its epoch had handed the delivery over, not where it had only taken it over itself.
    found = tx.rows(
        "SELECT id, state, ? AND wish IS NOT 'stop' AND handed_in IS epoch FROM delivery "
        "WHERE recipient = ? AND owner IS NOT NULL ORDER BY rank, id",
        deaths,
        agent,
    )
    note = "taken over from a process that died" if deaths else "taken over by the next start"
    tx.write_many(
        "UPDATE delivery SET owner = ?, epoch = ?, steps = steps || ?, deaths = deaths + ? WHERE id = ?",
        [
            (incarnation, epoch, rows.step(State(state), tx.now, note), counts, number)
            for number, state, counts in found
        ],
    )
    return [(number, bool(counts)) for number, _, counts in found]
