"""What every mailbox promises of putting messages in and looking at them."""

from __future__ import annotations

import pytest

from relaykit.errors import ConflictError, FullError, NotFoundError, RefusedError, UnknownAddressError
from relaykit.model import USER, Limits, MessageKind, Priority, State, new_id
from relaykit.testing.mailbox_bench import Bench, MailboxPart, reply_of


class Putting(MailboxPart):
    """Put, and what is refused."""

    async def test_a_message_is_stored_with_one_queued_delivery(self, bench: Bench) -> None:
        accepted = await bench.put(body="hello")
        (delivery,) = accepted.deliveries
        assert (delivery.recipient, delivery.state, delivery.attempt) == ("a", State.QUEUED, 0)
        assert (accepted.first, accepted.message.thread, accepted.message.root) == (
            True,
            accepted.message.id,
            accepted.message.id,
        )
        trace = await bench.mailbox.trace(accepted.message.id)
        assert (trace.message, trace.deliveries) == (accepted.message, accepted.deliveries)

    async def test_the_same_draft_again_is_the_first_put(self, bench: Bench) -> None:
        name = new_id()
        first, again = [await bench.put(id=name) for _ in range(2)]
        assert (again.first, again.message, again.deliveries) == (False, first.message, first.deliveries)
        assert len(await bench.inbox("a")) == 1

    async def test_the_same_draft_again_is_the_first_put_where_no_other_would_be_taken(
        self, bench: Bench, limits: Limits
    ) -> None:
        name = new_id()
        first = await bench.put(id=name)
        for _ in range(limits.queued - 1):
            await bench.put()
        with pytest.raises(FullError):
            await bench.put()
        again = await bench.put(id=name)
        assert (again.first, again.message, again.deliveries) == (False, first.message, first.deliveries)
        with pytest.raises(ConflictError, match=name):
            await bench.put(id=name, body="another")
        assert len(await bench.inbox("a")) == limits.queued

    async def test_the_same_id_with_another_body_is_refused_and_changes_nothing(self, bench: Bench) -> None:
        name = new_id()
        await bench.put(id=name, body="one")
        with pytest.raises(ConflictError, match=name):
            await bench.put(id=name, body="two")
        assert [message.body for message in await bench.inbox("a")] == ["one"]

    async def test_an_id_is_unique_within_its_account(self, bench: Bench) -> None:
        one = await bench.put(sender="x@dock", id="7", account="dock/one", body="one")
        two = await bench.put(sender="x@dock", id="7", account="dock/two", body="two")
        again = await bench.put(sender="x@dock", id="7", account="dock/one", body="one")
        assert (one.first, two.first, again.first) == (True, True, False)
        with pytest.raises(ConflictError, match="dock/two"):
            await bench.put(sender="x@dock", id="7", account="dock/two", body="three")

    async def test_an_unknown_name_is_refused_and_nothing_is_stored(self, bench: Bench) -> None:
        name = new_id()
        with pytest.raises(UnknownAddressError):
            await bench.put("nobody", id=name)
        with pytest.raises(NotFoundError):
            await bench.mailbox.trace(name)

    async def test_whoever_has_sent_something_can_be_written_to(self, bench: Bench) -> None:
        await bench.put(sender="maria")
        await bench.put("maria", sender="a", body="back")
        assert [message.body for message in await bench.inbox("maria")] == ["back"]

    @pytest.mark.parametrize("body", ["x" * 601, "\u20ac" * 201])
    async def test_a_message_over_the_limit_of_bytes_is_refused(self, bench: Bench, body: str) -> None:
        with pytest.raises(RefusedError, match="600"):
            await bench.put(body=body)
        await bench.put(body="x" * 600)

    async def test_text_that_cannot_be_stored_is_refused(self, bench: Bench) -> None:
        with pytest.raises(RefusedError, match="no valid text"):
            await bench.put(body="half a pair \ud800")

    async def test_odd_characters_come_back_as_they_were_put(self, bench: Bench) -> None:
        body = "a\0b\x1e\x1f\r\n\u2028\U0001f600"
        message = (await bench.put(body=body)).message
        assert (await bench.mailbox.trace(message.id)).message.body == body

    async def test_a_recipient_with_too_many_messages_is_full_until_one_is_taken(
        self, bench: Bench, limits: Limits
    ) -> None:
        for _ in range(limits.queued):
            await bench.put()
        with pytest.raises(RefusedError, match="a is full"):
            await bench.put()
        await bench.lease()
        await bench.put()

    async def test_a_recipient_with_too_many_bytes_is_full(self, bench: Bench) -> None:
        await bench.put(body="x" * 600)
        with pytest.raises(RefusedError, match="a is full"):
            await bench.put(body="x" * 500)
        await bench.put(body="x" * 400)

    async def test_replies_and_notices_reach_a_full_sender(self, bench: Bench, limits: Limits) -> None:
        await bench.claim("b")
        asked = (await bench.put("b", sender="a")).message
        failed = (await bench.put("b", sender="a")).message
        for _ in range(limits.queued):
            await bench.put("a")
        await bench.exchange("b", text="x" * 700)
        await bench.fail(await bench.begin("b"))
        kinds = {message.in_reply_to: message.kind for message in await bench.inbox("a") if message.in_reply_to}
        assert kinds == {(asked.id,): MessageKind.REPLY, (failed.id,): MessageKind.NOTICE}

    async def test_an_agent_is_reached_only_by_those_it_names(self, bench: Bench) -> None:
        await bench.claim("friend", tags=("team",))
        await bench.claim("shy", reachable_by=("maria", "tag:team", "tag:nobody"))
        for sender in ("maria", "friend"):
            await bench.put("shy", sender=sender)
        for sender in (USER, "a"):
            with pytest.raises(RefusedError, match="may not send to shy"):
                await bench.put("shy", sender=sender)


class Priorities(MailboxPart):
    """What a message's priority becomes."""

    async def test_a_message_that_says_none_takes_the_recipients_default(self, bench: Bench) -> None:
        await bench.claim("b", priority=Priority.NEXT)
        (to_b,) = (await bench.put("b")).deliveries
        (to_a,) = (await bench.put("a")).deliveries
        (said,) = (await bench.put("b", priority=Priority.LATER)).deliveries
        assert [one.priority for one in (to_b, to_a, said)] == [Priority.NEXT, Priority.LATER, Priority.LATER]

    async def test_an_agents_now_is_lowered_to_next_unless_it_may(self, bench: Bench) -> None:
        await bench.claim("loud", may_send_now=True)
        for sender, priority in (("loud", Priority.NOW), (USER, Priority.NOW)):
            (sent,) = (await bench.put("a", sender=sender, priority=Priority.NOW)).deliveries
            assert sent.priority is priority, sender
        (lowered,) = (await bench.put("loud", sender="a", priority=Priority.NOW)).deliveries
        assert lowered.priority is Priority.NEXT

    async def test_nor_does_an_agents_message_become_now_by_its_recipients_default(self, bench: Bench) -> None:
        await bench.claim("loud", may_send_now=True)
        await bench.claim("b", priority=Priority.NOW)
        for sender, priority in (("a", Priority.NEXT), ("loud", Priority.NOW), (USER, Priority.NOW)):
            (sent,) = (await bench.put("b", sender=sender)).deliveries
            assert sent.priority is priority, sender

    async def test_nor_do_an_agents_reply_and_the_notice_of_its_end(self, bench: Bench) -> None:
        await bench.claim("b", priority=Priority.NOW)
        for _ in range(2):
            await bench.put("a", sender="b")
        reply = await bench.exchange("a")
        assert (await bench.delivery(reply.id)).priority is Priority.NEXT
        await bench.fail(await bench.begin("a"))
        assert [item.delivery.priority for item in await bench.mailbox.inbox("b")] == [Priority.NEXT] * 2


class Groups(MailboxPart):
    """Groups, and any one of a group."""

    async def test_a_group_gets_one_delivery_for_each_member_but_the_sender(self, bench: Bench) -> None:
        await bench.claim("b", "c", tags=("review",))
        sent = await bench.put("tag:review", sender="b")
        everyone = await bench.put("broadcast")
        assert [one.recipient for one in sent.deliveries] == ["c"]
        assert [one.recipient for one in everyone.deliveries] == ["a", "b", "c"]

    async def test_a_group_is_fixed_when_the_message_is_put(self, bench: Bench) -> None:
        sent = await bench.put("broadcast")
        await bench.claim("late")
        assert [one.recipient for one in (await bench.mailbox.trace(sent.message.id)).deliveries] == ["a"]

    async def test_a_group_that_nobody_is_in_is_refused(self, bench: Bench) -> None:
        with pytest.raises(UnknownAddressError):
            await bench.put("tag:nobody")

    async def test_a_full_members_delivery_ends_refused_and_the_others_go(self, bench: Bench, limits: Limits) -> None:
        await bench.claim("b")
        for _ in range(limits.queued):
            await bench.put("b")
        sent = await bench.put("broadcast")
        assert {one.recipient: one.state for one in sent.deliveries} == {"a": State.QUEUED, "b": State.REFUSED}
        (notice,) = await bench.inbox()
        assert (notice.kind, notice.in_reply_to) == (MessageKind.NOTICE, (sent.message.id,))
        assert "b is full" in notice.body

    async def test_an_agent_is_told_no_name_of_a_group_that_it_may_not_reach(self, bench: Bench) -> None:
        await bench.claim("b")
        await bench.claim("shy", reachable_by=("maria",), tags=("t",))
        sent = await bench.put("broadcast", sender="a")
        assert [one.recipient for one in sent.deliveries] == ["b"]
        assert await bench.offered() is None
        with pytest.raises(RefusedError, match="any of tag:t"):
            await bench.put("tag:t", sender="a")
        by_person = await bench.put("broadcast")
        assert {one.recipient: one.state for one in by_person.deliveries}["shy"] is State.REFUSED

    async def test_any_is_one_delivery_that_the_first_free_member_takes(self, bench: Bench) -> None:
        await bench.claim("b", "c", tags=("review",))
        (delivery,) = (await bench.put("any:tag:review")).deliveries
        assert delivery.recipient == "any:tag:review"
        assert await bench.offered("a") is None
        assert (await bench.lease("c")).delivery.recipient == "c"
        assert await bench.offered("b") is None

    async def test_any_goes_to_no_one_who_joined_the_group_later(self, bench: Bench) -> None:
        await bench.claim("b", tags=("review",))
        await bench.put("any:tag:review")
        await bench.claim("late", tags=("review",))
        assert await bench.offered("late") is None

    async def test_any_that_is_released_goes_back_to_all_of_them(self, bench: Bench) -> None:
        await bench.claim("b", "c", tags=("review",))
        await bench.put("any:tag:review")
        await bench.mailbox.release((await bench.lease("b")).lease, "no quota")
        assert (await bench.lease("c")).delivery.attempt == 2

    async def test_any_stands_in_line_with_what_is_an_agents_own(self, bench: Bench) -> None:
        await bench.claim("a", tags=("x",))
        await bench.put("a", "first")
        await bench.put("any:tag:x", "second")
        await bench.put("a", "third")
        await bench.put("any:tag:x", "urgent", priority=Priority.NEXT)
        assert [(await bench.lease()).message.body for _ in range(4)] == ["urgent", "first", "second", "third"]


class Looking(MailboxPart):
    """Trace, inbox, replies."""

    async def test_an_id_may_be_cut_short_where_that_is_plain(self, bench: Bench) -> None:
        await bench.put(id="abcd-1")
        await bench.put(id="abcd-2")
        assert (await bench.mailbox.trace("abcd-2")).message.id == "abcd-2"
        await bench.put(id="efgh-1")
        assert (await bench.mailbox.trace("efgh")).message.id == "efgh-1"
        for text in ("abcd", "efg", "zzzz", ""):
            with pytest.raises(NotFoundError):
                await bench.mailbox.trace(text)

    async def test_an_inbox_shows_what_waits_in_the_order_of_the_queue(self, bench: Bench) -> None:
        for body, priority in (("b", None), ("a", Priority.NOW), ("c", None)):
            await bench.put(USER, body, sender="a", priority=priority)
        assert [message.body for message in await bench.inbox()] == ["a", "b", "c"]
        assert len(await bench.mailbox.inbox(USER, limit=2)) == 2

    async def test_what_was_acknowledged_is_shown_only_with_the_ended(self, bench: Bench) -> None:
        (delivery,) = (await bench.put(USER, sender="a")).deliveries
        await bench.mailbox.acknowledge([delivery.id], "shown")
        assert await bench.inbox() == []
        (item,) = await bench.mailbox.inbox(USER, ended=True)
        assert (item.delivery.state, item.delivery.reason) == (State.ACKNOWLEDGED, "shown")

    async def test_acknowledging_passes_over_what_has_ended_and_what_goes_to_agents(self, bench: Bench) -> None:
        (to_agent,) = (await bench.put("a")).deliveries
        (to_person,) = (await bench.put(USER, sender="a")).deliveries
        await bench.mailbox.cancel(to_person.message)
        await bench.mailbox.acknowledge([to_agent.id, to_person.id, 10**9], "shown")
        assert (await bench.delivery(to_agent.message)).state is State.QUEUED
        assert (await bench.delivery(to_person.message)).state is State.CANCELLED

    async def test_replies_are_what_names_the_message(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        await bench.put()
        reply = await bench.exchange()
        assert await bench.mailbox.replies(asked.id) == [reply]
        assert (await bench.mailbox.trace(asked.id)).replies == (reply,)

    async def test_a_trace_tells_every_step_with_its_time(self, bench: Bench) -> None:
        start = bench.clock.now()
        asked = (await bench.put()).message
        await bench.clock.advance(1)
        leased = await bench.begin()
        await bench.clock.advance(1)
        await bench.mailbox.settle([leased.lease], State.ANSWERED, "completed", reply=reply_of(leased))
        steps = (await bench.delivery(asked.id)).steps
        assert [(step.state, step.at - start) for step in steps] == [
            (State.QUEUED, 0),
            (State.LEASED, 1),
            (State.DELIVERED, 1),
            (State.SEEN, 1),
            (State.ANSWERED, 2),
        ]
        assert steps[-1].note == "completed"
