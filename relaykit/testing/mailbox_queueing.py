"""What every mailbox promises of changing what waits: its text, and its place."""

from __future__ import annotations

import pytest

from relaykit.errors import ConflictError, NotFoundError, RefusedError
from relaykit.model import Accepted, Priority, State
from relaykit.plugin import Joining
from relaykit.testing.mailbox_bench import LIMITS, Bench, MailboxPart, states


class Editing(MailboxPart):
    """Edit."""

    async def test_the_new_text_is_what_is_handed_over_and_shown(self, bench: Bench) -> None:
        asked = (await bench.put(body="teh text")).message
        (delivery,) = await bench.mailbox.edit(asked.id, "the text")
        assert delivery == await bench.delivery(asked.id)
        assert delivery.body == "the text"
        assert [item.message.body for item in await bench.mailbox.inbox("a")] == ["the text"]
        assert (await bench.lease()).message.body == "the text"

    async def test_the_trace_keeps_a_step_that_says_so(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        await bench.mailbox.edit(asked.id, "other")
        delivery = await bench.delivery(asked.id)
        assert states(delivery) == [State.QUEUED, State.QUEUED]
        assert "edited" in delivery.steps[1].note

    async def test_the_same_draft_is_still_the_first_put_and_the_new_text_is_another(self, bench: Bench) -> None:
        asked = (await bench.put(id="m-1", body="before")).message
        await bench.mailbox.edit(asked.id, "after")
        again = await bench.put(id="m-1", body="before")
        assert (again.first, again.message.id, len(again.deliveries)) == (False, asked.id, 1)
        with pytest.raises(ConflictError):
            await bench.put(id="m-1", body="after")

    @pytest.mark.parametrize("how_far", ["leased", "seen", "answered"])
    async def test_what_is_handed_over_is_not_edited_any_more(self, bench: Bench, how_far: str) -> None:
        asked = (await bench.put()).message
        leased = await (bench.lease() if how_far == "leased" else bench.begin())
        if how_far == "answered":
            await bench.answer(leased)
        with pytest.raises(RefusedError, match=f"a {how_far}"):
            await bench.mailbox.edit(asked.id, "too late")
        assert (await bench.delivery(asked.id)).body is None

    async def test_a_lease_that_comes_between_is_not_hurt(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        await bench.mailbox.edit(asked.id, "other")
        leased = await bench.lease()
        with pytest.raises(RefusedError):
            await bench.mailbox.edit(asked.id, "third")
        await bench.answer(leased)
        assert (await bench.mailbox.leased(leased.delivery.id)).message.body == "other"

    async def test_what_was_released_keeps_its_new_text(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        await bench.mailbox.edit(asked.id, "other")
        await bench.mailbox.release((await bench.lease()).lease, "no quota")
        assert (await bench.lease()).message.body == "other"
        assert (await bench.delivery(asked.id)).body == "other"

    async def test_one_recipient_of_several_may_be_chosen_and_else_all_have_to_wait(self, bench: Bench) -> None:
        await bench.claim("b")
        sent = (await bench.put("broadcast", "all")).message
        await bench.mailbox.edit(sent.id, "for b", recipient="b")
        assert (await bench.begin("a")).message.body == "all"
        with pytest.raises(RefusedError, match="a seen"):
            await bench.mailbox.edit(sent.id, "for all")
        assert (await bench.lease("b")).message.body == "for b"

    async def test_a_reply_is_what_its_agent_said(self, bench: Bench) -> None:
        await bench.put()
        reply = await bench.exchange()
        with pytest.raises(RefusedError, match="someone wrote"):
            await bench.mailbox.edit(reply.id, "what I like better")

    async def test_the_limits_hold_for_the_new_text(self, bench: Bench) -> None:
        asked = (await bench.put(body="x")).message
        await bench.put(body="y" * (LIMITS.queued_bytes - 500))
        with pytest.raises(RefusedError, match=f"{LIMITS.message_bytes} may be"):
            await bench.mailbox.edit(asked.id, "x" * (LIMITS.message_bytes + 1))
        with pytest.raises(RefusedError, match="full"):
            await bench.mailbox.edit(asked.id, "x" * 501)
        await bench.mailbox.edit(asked.id, "x" * 500)
        (entry,) = await bench.mailbox.agents()
        assert entry.queued_bytes == LIMITS.queued_bytes
        await bench.mailbox.cancel(asked.id)
        (entry,) = await bench.mailbox.agents()
        assert entry.queued_bytes == LIMITS.queued_bytes - 500


class Moving(MailboxPart):
    """Move."""

    async def test_first_stands_before_all_that_wait_and_the_others_keep_their_order(self, bench: Bench) -> None:
        *_, last = [await bench.put(body=body) for body in ("one", "two", "three")]
        (delivery,) = await bench.mailbox.move(last.message.id)
        assert delivery == await bench.delivery(last.message.id)
        assert await order(bench) == ["three", "one", "two"]

    async def test_before_another_stands_right_before_it_forwards_and_backwards(self, bench: Bench) -> None:
        put = {body: (await bench.put(body=body)).message.id for body in ("one", "two", "three", "four")}
        await bench.mailbox.move(put["four"], before=put["two"])
        await bench.mailbox.move(put["one"], before=put["three"])
        assert await order(bench) == ["four", "two", "one", "three"]

    async def test_what_comes_later_stands_behind_what_was_moved(self, bench: Bench) -> None:
        one, two = [(await bench.put(body=body)).message.id for body in ("one", "two")]
        await bench.mailbox.move(one, before=two)
        await bench.mailbox.move(two, before=one)
        await bench.put(body="three")
        assert await order(bench) == ["two", "one", "three"]
        assert [(await bench.begin()).message.body for _ in range(3)] == ["two", "one", "three"]

    @pytest.mark.parametrize("priority", list(Priority))
    async def test_it_takes_the_priority_of_what_it_stands_before(self, bench: Bench, priority: Priority) -> None:
        moved = await bench.put(body="moved")
        other = await bench.put(body="other", priority=priority)
        (delivery,) = await bench.mailbox.move(moved.message.id, before=other.message.id)
        assert (delivery.priority, await order(bench)) == (priority, ["moved", "other"])
        assert "before message" in delivery.steps[-1].note

    async def test_first_stands_before_a_higher_priority_and_may_join_as_it_does(self, bench: Bench) -> None:
        running = await bench.put(body="running", thread="t")
        await bench.begin()
        late = await bench.put(body="late", thread="t")
        await bench.put(body="next", priority=Priority.NEXT)
        await bench.mailbox.move(late.message.id)
        joining = Joining(thread=running.message.thread, recipient="user")
        joined = await bench.offered(joining=joining)
        assert joined is not None
        assert joined.message.body == "late"

    async def test_what_may_join_does_so_in_the_new_order(self, bench: Bench) -> None:
        one, two = [await bench.put(body=body, thread="t", priority=Priority.NEXT) for body in ("one", "two")]
        await bench.mailbox.move(two.message.id, before=one.message.id)
        joined = await bench.offered(joining=Joining(thread="t", recipient="user"))
        assert joined is not None
        assert joined.message.body == "two"

    async def test_a_lower_priority_stands_behind_every_higher_one(self, bench: Bench) -> None:
        late = await bench.put(body="late")
        down = await bench.put(body="down", priority=Priority.NEXT)
        await bench.put(body="next", priority=Priority.NEXT)
        await bench.mailbox.move(down.message.id, before=late.message.id)
        assert await order(bench) == ["next", "down", "late"]

    async def test_what_goes_to_any_of_a_group_is_moved_in_its_members_queues(self, bench: Bench) -> None:
        await bench.claim("a", "b", tags=("x",))
        one, two = [await bench.put("any:tag:x", body) for body in ("one", "two")]
        await bench.mailbox.move(two.message.id, before=one.message.id)
        assert (await bench.lease("b")).message.body == "two"
        own = await bench.put(body="own")
        await bench.mailbox.move(own.message.id)
        assert [(await bench.begin()).message.body for _ in range(2)] == ["own", "one"]

    async def test_what_is_handed_over_or_elsewhere_is_not_moved(self, bench: Bench) -> None:
        await bench.claim("b")
        begun = await bench.put(body="begun")
        await bench.begin()
        waits, elsewhere = await bench.put(body="waits"), await bench.put("b")
        with pytest.raises(RefusedError, match="a seen"):
            await bench.mailbox.move(begun.message.id)
        for other in (begun, elsewhere):
            with pytest.raises(NotFoundError, match="the queue of a"):
                await bench.mailbox.move(waits.message.id, before=other.message.id)
        assert len((await bench.delivery(waits.message.id)).steps) == 1

    async def test_it_keeps_its_new_place_when_it_is_released(self, bench: Bench) -> None:
        one, two = [await bench.put(body=body) for body in ("one", "two")]
        await bench.mailbox.move(two.message.id, before=one.message.id)
        await bench.mailbox.release((await bench.lease()).lease, "no quota")
        assert await order(bench) == ["two", "one"]

    async def test_first_of_one_that_is_first_changes_nothing(self, bench: Bench) -> None:
        first: Accepted = await bench.put(body="one")
        await bench.put(body="two")
        (delivery,) = await bench.mailbox.move(first.message.id)
        assert (len(delivery.steps), await order(bench)) == (1, ["one", "two"])


async def order(bench: Bench) -> list[str]:
    """Return the texts that wait for ``a`` in the order of its queue."""
    return [item.message.body for item in await bench.mailbox.inbox("a")]
