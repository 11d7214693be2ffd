"""What every mailbox promises of cancelling, requeuing and expiry."""

from __future__ import annotations

import pytest

from relaykit.errors import NotFoundError, RefusedError
from relaykit.model import USER, LeasedDelivery, MessageKind, State, Wish
from relaykit.testing.mailbox_bench import Bench, MailboxPart, reply_of, states


class Cancelling(MailboxPart):
    """Cancel."""

    async def test_what_is_queued_is_gone_at_once_without_a_notice(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        (delivery,) = await bench.mailbox.cancel(asked.id)
        assert delivery.state is State.CANCELLED
        assert await bench.offered() is None
        assert await bench.inbox() == []

    async def test_what_is_handed_over_gets_the_wish_and_its_relay_is_told(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        leased = await bench.lease()
        (delivery,) = await bench.mailbox.cancel(asked.id)
        assert (delivery.state, delivery.wish) == (State.LEASED, Wish.CANCEL)
        assert (await bench.mailbox.waiting(["a"]))["a"].wished
        await bench.mailbox.settle([leased.lease], State.CANCELLED, "withdrawn")
        assert await bench.mailbox.waiting(["a"]) == {}

    async def test_what_was_seen_is_refused_unless_its_turn_may_be_interrupted(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        await bench.begin()
        with pytest.raises(RefusedError, match="has begun"):
            await bench.mailbox.cancel(asked.id)
        assert (await bench.delivery(asked.id)).wish is None
        (delivery,) = await bench.mailbox.cancel(asked.id, interrupt=True)
        assert (delivery.state, delivery.wish) == (State.SEEN, Wish.CANCEL)

    async def test_one_recipient_of_several_may_be_chosen(self, bench: Bench) -> None:
        await bench.claim("b")
        sent = (await bench.put("broadcast")).message
        await bench.mailbox.cancel(sent.id, recipient="b")
        assert (await bench.delivery(sent.id, "a")).state is State.QUEUED
        assert (await bench.delivery(sent.id, "b")).state is State.CANCELLED
        with pytest.raises(NotFoundError, match="a, b"):
            await bench.mailbox.cancel(sent.id, recipient="c")

    async def test_what_has_ended_stays_as_it_is(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        await bench.exchange()
        (delivery,) = await bench.mailbox.cancel(asked.id)
        assert delivery.state is State.ANSWERED

    async def test_a_turn_that_was_to_be_cancelled_answers_nobody(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        leased = await bench.begin()
        await bench.mailbox.cancel(asked.id, interrupt=True)
        await bench.mailbox.settle([leased.lease], State.ANSWERED, "", reply=reply_of(leased))
        delivery = (await bench.mailbox.leased(leased.delivery.id)).delivery
        assert delivery.state is State.CANCELLED
        assert await bench.mailbox.replies(asked.id) == []

    async def test_where_others_joined_only_the_cancelled_is_not_answered(self, bench: Bench) -> None:
        one, two = [(await bench.put(thread="t")).message for _ in range(2)]
        joined = [await bench.begin(), await bench.begin()]
        await bench.mailbox.cancel(one.id, interrupt=True)
        reply = await bench.answer(*joined)
        assert reply.in_reply_to == (two.id,)
        assert (await bench.delivery(one.id)).state is State.CANCELLED
        assert (await bench.delivery(two.id)).state is State.ANSWERED

    async def test_a_cancelled_one_that_is_released_ends(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        leased = await bench.lease()
        await bench.mailbox.cancel(asked.id)
        await bench.mailbox.release(leased.lease, "no quota")
        assert (await bench.delivery(asked.id)).state is State.CANCELLED

    async def test_a_worker_does_not_overwrite_the_wish_to_cancel(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        leased = await bench.lease()
        await bench.mailbox.cancel(asked.id)
        await bench.mailbox.wish(leased.lease, Wish.STOP)
        assert (await bench.delivery(asked.id)).wish is Wish.CANCEL


class Requeuing(MailboxPart):
    """Requeue."""

    async def test_what_ended_otherwise_than_well_is_queued_at_its_old_place(self, bench: Bench) -> None:
        first = (await bench.put(body="first")).message
        await bench.put(body="second")
        await bench.begin()
        (died,) = (await bench.claim("a")).abandoned
        await bench.fail(await bench.mailbox.leased(died), State.DEAD)
        (delivery,) = await bench.mailbox.requeue(first.id)
        assert delivery == await bench.delivery(first.id)
        assert (delivery.state, delivery.deaths) == (State.QUEUED, 0)
        again = await bench.lease()
        assert (again.message.body, again.delivery.attempt) == ("first", 2)

    @pytest.mark.parametrize("ended", [True, False])
    async def test_what_ended_well_or_not_at_all_is_refused(self, bench: Bench, ended: bool) -> None:
        asked = (await bench.put()).message
        if ended:
            await bench.exchange()
        with pytest.raises(RefusedError, match=r"a (answered|queued)"):
            await bench.mailbox.requeue(asked.id)

    async def test_any_is_queued_for_all_of_the_group_again(self, bench: Bench) -> None:
        await bench.claim("b", "c", tags=("x",))
        asked = (await bench.put("any:tag:x")).message
        await bench.fail(await bench.begin("b"))
        (delivery,) = await bench.mailbox.requeue(asked.id)
        assert delivery.recipient == "any:tag:x"
        assert (await bench.lease("c")).message == asked


class Expiring(MailboxPart):
    """Expiry."""

    async def test_what_has_expired_ends_with_a_notice_and_the_next_time_is_told(self, bench: Bench) -> None:
        now = bench.clock.now()
        soon = (await bench.put(expires_at=now + 5)).message
        await bench.put(expires_at=now + 9)
        assert await bench.mailbox.tick() == now + 5
        await bench.clock.advance(5)
        assert await bench.mailbox.tick() == now + 9
        assert (await bench.delivery(soon.id)).state is State.EXPIRED
        assert [message.kind for message in await bench.inbox()] == [MessageKind.NOTICE]

    async def test_what_has_expired_is_not_leased(self, bench: Bench) -> None:
        late = (await bench.put(expires_at=bench.clock.now() + 5)).message
        await bench.put(body="next")
        await bench.clock.advance(6)
        assert (await bench.lease()).message.body == "next"
        assert (await bench.delivery(late.id)).state is State.EXPIRED

    async def test_what_was_handed_over_does_not_expire_in_the_queue(self, bench: Bench) -> None:
        asked = (await bench.put(expires_at=bench.clock.now() + 5)).message
        await bench.begin()
        await bench.clock.advance(6)
        assert await bench.mailbox.tick() is None
        assert (await bench.delivery(asked.id)).state is State.SEEN

    async def test_what_is_queued_once_more_does_not_expire_again(self, bench: Bench) -> None:
        asked = (await bench.put(expires_at=bench.clock.now() + 5)).message
        await bench.clock.advance(6)
        await bench.mailbox.tick()
        await bench.mailbox.requeue(asked.id)
        assert await bench.mailbox.tick() is None
        assert (await bench.lease()).message.id == asked.id

    async def test_a_wall_clock_that_jumps_loses_and_reorders_nothing(self, bench: Bench) -> None:
        for body, jump in (("one", -3600.0), ("two", 7200.0), ("three", -86400.0)):
            await bench.put(body=body)
            bench.clock.jump(jump)
            await bench.mailbox.tick()
        taken: list[LeasedDelivery] = [await bench.begin() for _ in range(3)]
        assert [one.message.body for one in taken] == ["one", "two", "three"]
        await bench.mailbox.release(taken[0].lease, "again")
        bench.clock.jump(86400.0)
        assert (await bench.lease()).message.body == "one"

    async def test_a_trace_keeps_the_order_of_steps_when_the_clock_goes_back(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        bench.clock.jump(-1000.0)
        await bench.exchange()
        steps = [State.QUEUED, State.LEASED, State.DELIVERED, State.SEEN, State.ANSWERED]
        assert states(await bench.delivery(asked.id)) == steps
        assert [message.kind for message in await bench.inbox(USER)] == [MessageKind.REPLY]
