"""Whatever happens in whatever order: the queue's order holds, the counters are right, each delivery ends once."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relaykit.builtin.routing import AddressRouter
from relaykit.errors import LeaseLostError, RefusedError
from relaykit.mailbox import directory, leases, letters, reading, recall, rows, settling
from relaykit.mailbox.schema import MAILBOX
from relaykit.mailbox.transaction import Transaction, transactions
from relaykit.model import USER, Agent, Draft, LeasedDelivery, Limits, MessageKind, Priority, State
from relaykit.storage.connect import MEMORY
from relaykit.storage.database import Database

PRIORITIES = st.sampled_from(Priority)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("put"), PRIORITIES),
        st.tuples(st.sampled_from(["lease", "release", "settle", "cancel", "requeue", "claim"]), st.integers(0, 5)),
        st.tuples(st.just("jump"), st.integers(-1_000_000, 1_000_000)),
    ),
    max_size=40,
)


@dataclass
class World:
    """One agent's queue, and what was done with it."""

    database: Database[Transaction]
    clock: list[float]
    epoch: int = 0

    def __post_init__(self) -> None:
        self.put: list[str] = []
        self.held: list[LeasedDelivery] = []
        self.claim()

    def run(self, operation, *args, **kwargs):
        return self.database.run(operation, *args, **kwargs)

    def claim(self) -> None:
        claim = self.run(directory.claim, Agent(id="a", provider="echo", cwd="/"), "relay")
        self.epoch = claim.epoch
        self.held = [self.run(leases.leased, number) for number in claim.abandoned]

    def move(self, kind: str, which: Priority | int) -> None:
        match kind:
            case "put":
                draft = Draft(sender=USER, to="a", body="x", priority=which)
                self.put.append(self.run(letters.put, draft).message.id)
            case "lease":
                if leased := self.run(leases.lease, "a", owner="relay", epoch=self.epoch, submission="s", session="s"):
                    self.held.append(leased)
            case "claim":
                self.claim()
            case "jump":
                self.clock[0] += which
            case "release" | "settle" if which < len(self.held):
                self.finish(self.held.pop(which), kind)
            case "cancel" | "requeue" if which < len(self.put):
                operation = recall.cancel if kind == "cancel" else recall.requeue
                with suppress(RefusedError):
                    self.run(operation, self.put[which])

    def finish(self, leased: LeasedDelivery, how: str) -> None:
        if how == "release":
            self.run(leases.release, leased.lease, "again")
        else:
            reply = Draft(sender="a", to=USER, body="done", kind=MessageKind.REPLY, thread=leased.message.thread)
            self.run(settling.settle, [leased.lease], State.ANSWERED, "", reply=reply)

    def check(self) -> None:
        query = self.database.connection.execute
        counted = query(
            "SELECT recipient, count(*), sum(bytes) FROM delivery WHERE state = 'queued' GROUP BY 1"
        ).fetchall()
        kept = query("SELECT recipient, messages, bytes FROM queue WHERE messages > 0 OR bytes <> 0").fetchall()
        assert sorted(kept) == sorted(counted)
        assert query(
            "SELECT count(*) FROM delivery WHERE (owner IS NOT NULL) <> (state IN ('leased', 'delivered', 'seen'))"
        ).fetchone() == (0,)
        assert query(
            "SELECT count(*) FROM delivery WHERE (ended_at IS NULL) <> (state IN ('queued', 'leased', 'delivered', 'seen'))"
        ).fetchone() == (0,)
        self.check_order()
        for message in self.put:
            trace = self.run(reading.trace, message)
            assert len(trace.replies) == (1 if trace.deliveries[0].state is State.ANSWERED else 0)

    def check_order(self) -> None:
        waiting = [item.delivery for item in self.run(reading.inbox, "a", limit=1000)]
        assert [one.id for one in waiting] == [
            one.id for one in sorted(waiting, key=lambda one: (one.priority.rank, one.id))
        ]
        queued = [one for one in waiting if one.state is State.QUEUED]
        leased = self.run(leases.lease, "a", owner="relay", epoch=self.epoch, submission="s", session="s")
        assert (leased.delivery.id if leased else None) == (queued[0].id if queued else None)


@given(moves=MOVES)
@settings(max_examples=60)
def test_any_moves_with_any_clock_keep_order_counters_and_one_reply_each(moves) -> None:
    clock = [1000.0]
    with closing(Database(MEMORY, MAILBOX, transactions(lambda: clock[0], [AddressRouter()], Limits()))) as database:
        world = World(database, clock)
        for move in moves:
            world.move(*move)
        world.check()


@given(order=st.permutations(["settle", "settle again", "release", "cancel", "claim"]))
@settings(max_examples=40)
def test_of_writes_that_race_for_one_delivery_one_end_wins(order) -> None:
    begin = transactions(lambda: 1000.0, [AddressRouter()], Limits())
    with closing(Database(MEMORY, MAILBOX, begin)) as database:
        world = World(database, [1000.0])
        world.move("put", Priority.LATER)
        world.move("lease", 0)
        lease = world.held[0].lease
        ended = 0
        for one in order:
            try:
                match one:
                    case "settle" | "settle again":
                        world.finish(world.held[0], "settle")
                        ended += 1
                    case "release":
                        database.run(leases.release, lease, "again")
                    case "cancel":
                        world.move("cancel", 0)
                    case "claim":
                        database.run(directory.claim, Agent(id="a", provider="echo", cwd="/"), "other")
            except LeaseLostError:
                continue
        assert ended <= 1
        trace = database.run(reading.trace, world.put[0])
        (delivery,) = trace.deliveries
        assert sum(step.state.ended for step in delivery.steps) == (1 if delivery.state.ended else 0)
        assert len(trace.replies) == (1 if delivery.state is State.ANSWERED else 0)


@pytest.mark.parametrize("note", ["", "plain", "\x1e\x1f", "a\nb"])
def test_a_step_is_read_as_it_was_written(note: str) -> None:
    (step,) = rows.steps(rows.step(State.QUEUED, 0.1 + 0.2, note))
    assert (step.state, step.at, step.note) == (State.QUEUED, 0.1 + 0.2, rows.line(note))
