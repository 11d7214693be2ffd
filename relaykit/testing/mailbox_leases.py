"""What every mailbox promises the workers that handle deliveries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from relaykit.errors import LeaseLostError, NotFoundError
from relaykit.model import USER, Lease, MessageKind, Noted, Priority, Report, State, Status, StatusKind, TaskState, Wish
from relaykit.plugin import Joining, Mailbox
from relaykit.testing.mailbox_bench import RELAY, Bench, MailboxPart, reply_of, states

WRITES: dict[str, Callable[[Mailbox, Lease], Awaitable[object]]] = {
    "relet": lambda mailbox, lease: mailbox.relet(lease, submission="s", session="s", note=""),
    "forgive": lambda mailbox, lease: mailbox.forgive(lease),
    "delivered": lambda mailbox, lease: mailbox.note([Noted(lease=lease, at=1.0)]),
    "seen": lambda mailbox, lease: mailbox.note([Noted(lease=lease, at=1.0, turn="turn")]),
    "release": lambda mailbox, lease: mailbox.release(lease, ""),
    "wish": lambda mailbox, lease: mailbox.wish(lease, Wish.STOP),
    "settle": lambda mailbox, lease: mailbox.settle([lease], State.ANSWERED, ""),
    "settle with its steps": lambda mailbox, lease: mailbox.settle(
        [lease], State.ANSWERED, "", noted=[Noted(lease=lease, at=1.0)]
    ),
}


class Leasing(MailboxPart):
    """Lease, and the order of a queue."""

    async def test_a_lease_records_the_hand_over_before_it_happens(self, bench: Bench) -> None:
        await bench.put()
        delivery = (await bench.lease()).delivery
        assert (delivery.state, delivery.attempt, delivery.owner) == (State.LEASED, 1, RELAY)
        assert (delivery.submission, delivery.session) == ("submission-1", "session-1")
        assert (await bench.mailbox.leased(delivery.id)).delivery == delivery

    async def test_one_delivery_is_leased_once(self, bench: Bench) -> None:
        await bench.put()
        await bench.lease()
        assert await bench.offered() is None

    async def test_priority_goes_first_and_then_arrival(self, bench: Bench) -> None:
        for body, priority in (("l1", None), ("n1", "next"), ("l2", "later"), ("now", "now"), ("n2", "next")):
            await bench.put(body=body, priority=Priority(priority) if priority else None)
        assert [(await bench.lease()).message.body for _ in range(5)] == ["now", "n1", "n2", "l1", "l2"]

    async def test_what_joins_is_next_of_the_same_thread_and_reply_address(self, bench: Bench) -> None:
        await bench.put(body="other thread", thread="u", priority=Priority.NEXT)
        await bench.put(body="other sender", thread="t", priority=Priority.NEXT, sender="maria")
        await bench.put(body="later", thread="t")
        await bench.put(body="now", thread="t", priority=Priority.NOW)
        joining = Joining(thread="t", recipient=USER)
        assert await bench.offered(joining=joining) is None
        await bench.put(body="joins", thread="t", priority=Priority.NEXT)
        leased = await bench.offered(joining=joining)
        assert leased is not None
        assert leased.message.body == "joins"

    async def test_an_automatic_message_joins_no_turn(self, bench: Bench) -> None:
        await bench.claim("a", priority=Priority.NEXT)
        await bench.put(USER, sender="a", thread="t")
        await bench.claim("b")
        await bench.put("b", sender="a", thread="t")
        await bench.exchange("b")
        assert await bench.offered(joining=Joining(thread="t", recipient="b")) is None

    async def test_an_epoch_that_is_over_leases_nothing(self, bench: Bench) -> None:
        await bench.put()
        old = bench.claims["a"]
        await bench.claim("a", relay="relay-2")
        for owner, epoch in ((RELAY, old.epoch), ("relay-2", old.epoch), (RELAY, old.epoch + 1)):
            with pytest.raises(LeaseLostError):
                await bench.mailbox.lease("a", owner=owner, epoch=epoch, submission="s", session="s")

    async def test_waiting_tells_what_waits_for_whom(self, bench: Bench) -> None:
        await bench.claim("b", "c")
        await bench.put("a", priority=Priority.NOW)
        await bench.put("a", priority=Priority.LATER)
        await bench.put("b", priority=Priority.NEXT)
        found = await bench.mailbox.waiting(["a", "b", "c", "unknown"])
        assert set(found) == {"a", "b"}
        assert (found["a"].now, found["a"].next, found["a"].later) == (True, False, True)
        assert (found["b"].now, found["b"].next, found["b"].later) == (False, True, False)
        assert set(await bench.mailbox.waiting(["b"])) == {"b"}

    async def test_a_now_for_any_of_a_group_waits_for_whoever_is_free(self, bench: Bench) -> None:
        await bench.claim("b", "c", tags=("x",))
        await bench.put("any:tag:x", priority=Priority.NOW)
        found = await bench.mailbox.waiting(["b", "c"])
        assert [(one.now, one.next, one.later) for one in found.values()] == [(False, False, True)] * 2

    async def test_a_delivery_that_is_not_there_is_not_found(self, bench: Bench) -> None:
        with pytest.raises(NotFoundError):
            await bench.mailbox.leased(10**9)


class Handling(MailboxPart):
    """From the hand-over to the end."""

    @pytest.mark.parametrize("write", WRITES)
    async def test_a_write_with_a_lease_that_is_lost_changes_nothing(self, bench: Bench, write: str) -> None:
        asked = (await bench.put()).message
        old = (await bench.lease()).lease
        await bench.claim("a", relay="relay-2")
        before = await bench.delivery(asked.id)
        with pytest.raises(LeaseLostError):
            await WRITES[write](bench.mailbox, old)
        assert await bench.delivery(asked.id) == before

    @pytest.mark.parametrize("write", WRITES)
    async def test_a_write_after_the_end_changes_nothing(self, bench: Bench, write: str) -> None:
        asked = (await bench.put()).message
        leased = await bench.begin()
        await bench.answer(leased)
        before = await bench.delivery(asked.id)
        for lease in (leased.lease, (await bench.mailbox.leased(leased.delivery.id)).lease):
            with pytest.raises(LeaseLostError):
                await WRITES[write](bench.mailbox, lease)
        assert await bench.delivery(asked.id) == before

    async def test_an_earlier_attempts_lease_is_lost(self, bench: Bench) -> None:
        await bench.put()
        old = (await bench.lease()).lease
        await bench.mailbox.release(old, "no quota")
        await bench.lease()
        with pytest.raises(LeaseLostError):
            await bench.took(old)

    async def test_seen_is_not_taken_back_by_a_late_delivered(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        lease = (await bench.lease()).lease
        await bench.saw(lease, "turn-1")
        await bench.took(lease)
        await bench.saw(lease, "turn-1")
        delivery = await bench.delivery(asked.id)
        assert (delivery.state, delivery.turn) == (State.SEEN, "turn-1")

    async def test_the_steps_on_the_way_to_an_end_are_recorded_with_it(self, bench: Bench) -> None:
        asked = (await bench.put(task="Look at it")).message
        lease = (await bench.lease()).lease
        noted = [Noted(lease=lease, at=1.0), Noted(lease=lease, at=2.0, turn="turn-1")]
        await bench.mailbox.settle([lease], State.ANSWERED, "completed", noted=noted)
        delivery = await bench.delivery(asked.id)
        assert states(delivery)[-3:] == [State.DELIVERED, State.SEEN, State.ANSWERED]
        assert [step.at for step in delivery.steps[-3:-1]] == [1.0, 2.0]
        (task,) = (await bench.mailbox.trace(asked.id)).tasks
        assert (delivery.turn, task.turn, task.state) == ("turn-1", "turn-1", TaskState.DONE)

    async def test_how_the_agent_is_after_a_turn_is_entered_with_its_end_or_not_at_all(self, bench: Bench) -> None:
        await bench.put()
        lease, epoch = (await bench.lease()).lease, bench.claims["a"].epoch
        report = Report(agent="a", epoch=epoch, status=Status(kind=StatusKind.IDLE, since=7.0), pid=3, session="s7")
        with pytest.raises(LeaseLostError):
            await bench.mailbox.settle([lease], State.ANSWERED, "", report=replace(report, epoch=epoch - 1))
        assert (await bench.mailbox.leased(lease.delivery)).lease == lease
        await bench.mailbox.settle([lease], State.ANSWERED, "", report=report)
        (entry,) = await bench.mailbox.agents()
        assert (entry.status, entry.pid, entry.session) == (report.status, 3, "s7")

    async def test_a_settlement_tells_whether_more_may_wait_for_the_agent(self, bench: Bench) -> None:
        await bench.claim("b", tags=("review",))
        await bench.claim("c", tags=("review",))
        waits = ["b", "any:tag:review", "b"]
        for to in waits:
            await bench.put(to)
        found = []
        for _ in waits:
            leased = await bench.begin("b")
            found.append(await bench.mailbox.settle([leased.lease], State.ANSWERED, ""))
        assert found == [True, True, False]

    async def test_a_settlement_that_queues_for_the_agent_itself_tells_that_more_may_wait(self, bench: Bench) -> None:
        await bench.put(sender="a", body="to myself")
        assert await bench.mailbox.settle([(await bench.begin()).lease], State.UNKNOWN, "nobody can tell") is True
        assert (await bench.lease()).message.kind is MessageKind.NOTICE

    async def test_what_is_released_keeps_its_place_and_its_attempts(self, bench: Bench) -> None:
        await bench.put(body="first")
        await bench.put(body="second")
        await bench.mailbox.release((await bench.begin()).lease, "no quota")
        again = await bench.lease()
        assert (again.message.body, again.delivery.attempt, again.delivery.deaths) == ("first", 2, 0)
        assert "no quota" in [step.note for step in again.delivery.steps]

    async def test_a_new_attempt_has_a_new_submission_and_the_old_lease_is_lost(self, bench: Bench) -> None:
        await bench.put()
        old = await bench.begin()
        await bench.mailbox.wish(old.lease, Wish.STOP)
        new = await bench.mailbox.relet(old.lease, submission="again", session="session-2", note="go on")
        assert (new.delivery.state, new.delivery.attempt, new.delivery.submission) == (State.LEASED, 2, "again")
        assert (new.delivery.session, new.delivery.turn, new.delivery.wish) == ("session-2", None, None)
        with pytest.raises(LeaseLostError):
            await bench.took(old.lease)
        await bench.took(new.lease)

    async def test_a_wish_is_recorded(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        await bench.mailbox.wish((await bench.begin()).lease, Wish.NOW)
        assert (await bench.delivery(asked.id)).wish is Wish.NOW


class Settling(MailboxPart):
    """Ends, the one reply and the notices."""

    async def test_a_reply_names_all_that_joined(self, bench: Bench) -> None:
        asked = [(await bench.put(thread="t")).message for _ in range(3)]
        reply = await bench.answer(*[await bench.begin() for _ in range(3)])
        assert reply.in_reply_to == tuple(message.id for message in asked)
        for message in asked:
            assert (await bench.delivery(message.id)).state is State.ANSWERED
            assert await bench.mailbox.replies(message.id) == [reply]
        assert len(await bench.inbox()) == 1

    async def test_where_one_lease_is_lost_none_is_settled_and_nothing_said(self, bench: Bench) -> None:
        good, bad = [(await bench.put(thread="t")).message for _ in range(2)]
        taken = [await bench.begin(), await bench.begin()]
        await bench.mailbox.release(taken[1].lease, "gone")
        with pytest.raises(LeaseLostError):
            await bench.answer(*taken)
        assert (await bench.delivery(good.id)).state is State.SEEN
        assert (await bench.delivery(bad.id)).state is State.QUEUED
        assert await bench.inbox() == []

    @pytest.mark.parametrize("state", [state for state in State if state.ended])
    async def test_every_end_but_the_good_and_the_cancelled_sends_one_notice(self, bench: Bench, state: State) -> None:
        asked = (await bench.put()).message
        await bench.fail(await bench.begin(), state, "for a reason")
        delivery = await bench.delivery(asked.id)
        assert (delivery.state, delivery.reason, delivery.lease) == (state, "for a reason", None)
        notices = await bench.inbox()
        assert len(notices) == (1 if state.noticed else 0)
        for notice in notices:
            assert (notice.kind, notice.in_reply_to, notice.thread) == (MessageKind.NOTICE, (asked.id,), asked.thread)
            assert f"to a ended {state}: for a reason" in notice.body

    async def test_what_a_turn_had_written_goes_into_the_notice(self, bench: Bench) -> None:
        await bench.put()
        leased = await bench.begin()
        await bench.mailbox.settle([leased.lease], State.FAILED, "limit", partial="so far\nand on")
        (notice,) = await bench.inbox()
        assert notice.body.endswith("so far\nand on")

    async def test_a_reason_is_one_line_whatever_it_came_from(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        await bench.fail(await bench.begin(), reason="two\nlines\x1e\x1f\0\ud800")
        delivery = await bench.delivery(asked.id)
        assert delivery.reason == "two lines   ?"
        assert states(delivery)[-1] is State.FAILED

    async def test_a_reply_that_cannot_be_stored_as_it_is_does_not_stop_the_end(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        assert (await bench.exchange(text="half \ud800" + "x" * 10_000)).body.startswith("half ?x")
        assert (await bench.delivery(asked.id)).state is State.ANSWERED

    async def test_a_settle_and_a_cancel_that_race_have_one_winner(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        leased = await bench.lease()
        await bench.mailbox.release(leased.lease, "back")
        await bench.mailbox.cancel(asked.id)
        with pytest.raises(LeaseLostError):
            await bench.mailbox.settle([leased.lease], State.ANSWERED, "", reply=reply_of(leased))
        assert await bench.mailbox.replies(asked.id) == []


class Outgoing(MailboxPart):
    """Deliveries to people and through transports."""

    async def test_recipients_beyond_a_transport_are_those_of_that_transport(self, bench: Bench) -> None:
        for to in ("x@dock", "y@dock", "z@dock_2", USER):
            await bench.put(to, sender="a")
        await bench.put("a", sender="maria")
        assert sorted(await bench.mailbox.outgoing("dock")) == ["x@dock", "y@dock"]
        assert await bench.mailbox.outgoing("dock_2") == ["z@dock_2"]
        assert await bench.mailbox.outgoing("doc_") == []
        assert await bench.mailbox.outgoing(None) == [USER]

    async def test_they_are_leased_in_order_and_acknowledged(self, bench: Bench) -> None:
        for body in ("one", "two"):
            await bench.put("x@dock", body, sender="a")
        first = await bench.mailbox.lease_outgoing("x@dock", owner=RELAY)
        assert first is not None
        assert (first.message.body, first.delivery.attempt) == ("one", 1)
        assert await bench.mailbox.lease_outgoing("x@dock", owner="relay-2") is None, "one at a time"
        await bench.mailbox.settle([first.lease], State.ACKNOWLEDGED, "taken", synced=True)
        second = await bench.mailbox.lease_outgoing("x@dock", owner=RELAY)
        assert second is not None
        assert second.message.body == "two"
        assert await bench.mailbox.outgoing("dock") == []

    async def test_one_that_is_refused_for_good_sends_a_notice(self, bench: Bench) -> None:
        await bench.put("x@dock", sender="maria")
        leased = await bench.mailbox.lease_outgoing("x@dock", owner=RELAY)
        assert leased is not None
        await bench.fail(leased, State.REFUSED, "no such agent")
        (notice,) = await bench.inbox("maria")
        assert "x@dock ended refused: no such agent" in notice.body
