"""What every mailbox promises of messages between agents."""

from __future__ import annotations

import pytest

from relaykit.errors import RefusedError
from relaykit.model import USER, Decision, Draft, Limits, MessageKind, RequestState, State
from relaykit.testing.mailbox_bench import Bench, MailboxPart, reply_of


class Causes(MailboxPart):
    """Cause, root, hops, and whom a turn answers."""

    async def test_what_a_person_sends_begins_a_chain(self, bench: Bench) -> None:
        message = (await bench.put()).message
        assert (message.cause, message.root, message.hops) == (None, message.id, 0)

    async def test_what_an_agent_sends_in_a_turn_is_caused_by_it(self, bench: Bench) -> None:
        await bench.claim("b")
        asked = (await bench.put()).message
        leased = await bench.begin()
        sent = (await bench.put("b", sender="a")).message
        assert (sent.cause, sent.root, sent.hops) == (leased.delivery.id, asked.id, 1)

    async def test_what_an_agent_sends_outside_a_turn_begins_a_chain(self, bench: Bench) -> None:
        await bench.claim("b")
        await bench.put()
        sent = (await bench.put("b", sender="a")).message
        assert (sent.cause, sent.root) == (None, sent.id)

    async def test_a_reply_is_caused_by_the_delivery_that_it_settles(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        leased = await bench.begin()
        reply = await bench.answer(leased)
        assert (reply.cause, reply.root, reply.hops) == (leased.delivery.id, asked.id, 1)
        assert (reply.in_reply_to, reply.thread, reply.to) == ((asked.id,), asked.thread, USER)

    async def test_a_chain_that_is_too_long_is_refused(self, bench: Bench, limits: Limits) -> None:
        await bench.claim("b")
        agents = ("a", "b")
        await bench.put()
        for hop in range(limits.hops):
            await bench.begin(agents[hop % 2])
            await bench.put(agents[(hop + 1) % 2], sender=agents[hop % 2])
        await bench.begin(agents[limits.hops % 2])
        with pytest.raises(RefusedError, match=f"{limits.hops} may be"):
            await bench.put(agents[(limits.hops + 1) % 2], sender=agents[limits.hops % 2])

    async def test_the_answer_to_an_agents_question_goes_on_to_whoever_asked_the_agent(self, bench: Bench) -> None:
        await bench.claim("b")
        asked = (await bench.put("a")).message
        turn = await bench.begin("a")
        await bench.put("b", sender="a")
        await bench.answer(turn, text="I have asked b")
        reply = await bench.exchange("b")
        leased = await bench.begin("a")
        assert leased.message == reply
        assert leased.reply_to is not None
        assert (leased.reply_to.recipient, leased.reply_to.kind) == (USER, MessageKind.FOLLOW_UP)
        assert (leased.reply_to.message, leased.reply_to.thread) == (asked.id, asked.thread)
        follow_up = await bench.answer(leased, text="b says done")
        assert follow_up.in_reply_to == (asked.id,)
        assert [message.body for message in await bench.mailbox.replies(asked.id)] == ["I have asked b", "b says done"]

    async def test_follow_ups_climb_a_chain_of_agents_to_the_person(self, bench: Bench) -> None:
        await bench.claim("b", "c")
        await bench.put("a", "please")
        for asker, asked in (("a", "b"), ("b", "c")):
            turn = await bench.begin(asker)
            await bench.put(asked, sender=asker)
            await bench.answer(turn, text=f"{asker} waits")
        await bench.exchange("c", text="from c")
        assert (await bench.exchange("a", text="a heard that b waits")).to == USER
        assert (await bench.exchange("b", text="from b")).to == "a"
        assert (await bench.exchange("a", text="from a")).to == USER

    async def test_two_agents_that_ask_each_other_do_not_answer_for_ever(self, bench: Bench) -> None:
        await bench.claim("b")
        await bench.put("a")
        turn_a = await bench.begin("a")
        await bench.put("b", sender="a")
        turn_b = await bench.begin("b")
        await bench.put("a", sender="b")
        await bench.answer(turn_a)
        await bench.answer(turn_b)
        for _ in range(6):
            for agent in ("a", "b"):
                if (leased := await bench.offered(agent)) and leased.reply_to:
                    await bench.answer(leased)
        assert await bench.mailbox.waiting(["a", "b"]) == {}

    async def test_the_answer_to_what_nobody_asked_for_answers_nobody(self, bench: Bench) -> None:
        await bench.claim("b")
        await bench.put("b", sender="a")
        await bench.exchange("b")
        assert (await bench.begin("a")).reply_to is None

    async def test_a_chain_goes_on_through_a_notice(self, bench: Bench) -> None:
        await bench.claim("b", "c")
        asked = (await bench.put("a")).message
        turn = await bench.begin("a")
        await bench.put("b", sender="a")
        await bench.answer(turn)
        await bench.fail(await bench.begin("b"))
        notice = await bench.begin("a")
        await bench.put("c", sender="a")
        await bench.mailbox.settle([notice.lease], State.ANSWERED, "completed")
        await bench.exchange("c")
        assert (await bench.exchange("a")).in_reply_to == (asked.id,)

    async def test_an_agent_that_wrote_to_itself_is_not_told_what_it_found(self, bench: Bench) -> None:
        await bench.claim("b")
        await bench.put("a", sender="a")
        await bench.begin("a")
        await bench.put("b", sender="a")
        await bench.exchange("b")
        assert (await bench.begin("a")).reply_to is None

    async def test_a_notice_is_answered_by_nobody_and_never_bounces(self, bench: Bench) -> None:
        await bench.claim("b")
        await bench.put("b", sender="a")
        await bench.fail(await bench.begin("b"))
        notice = await bench.begin("a")
        assert (notice.message.kind, notice.reply_to) == (MessageKind.NOTICE, None)
        await bench.fail(notice)
        assert await bench.inbox("b") == []


class Waits(MailboxPart):
    """Circles of waits."""

    async def _ask(self, bench: Bench, sender: str, to: str) -> str:
        return (await bench.put(to, sender=sender, waits=60)).message.id

    async def test_a_wait_that_would_close_a_circle_is_refused(self, bench: Bench) -> None:
        await bench.claim("b", "c")
        await bench.put("a")
        for asker, asked in (("a", "b"), ("b", "c")):
            await bench.begin(asker)
            await self._ask(bench, asker, asked)
        await bench.begin("c")
        for to in ("a", "b", "c"):
            with pytest.raises(RefusedError, match="never end"):
                await self._ask(bench, "c", to)
        await bench.put("a", sender="c")

    @pytest.mark.parametrize(("first", "then"), [("any:tag:x", "a"), ("b", "any:tag:y"), ("any:tag:x", "any:tag:y")])
    async def test_so_is_one_by_any_of_a_group_of_one(self, bench: Bench, first: str, then: str) -> None:
        for name, tag in (("a", "y"), ("b", "x")):
            await bench.claim(name, tags=(tag,))
            await bench.put(name)
            await bench.begin(name)
        await self._ask(bench, "a", first)
        with pytest.raises(RefusedError, match="waits for an answer of b"):
            await self._ask(bench, "b", then)

    @pytest.mark.parametrize("over", ["answered", "given up", "late"])
    async def test_a_wait_that_is_over_closes_no_circle(self, bench: Bench, over: str) -> None:
        await bench.claim("b")
        await bench.put("a")
        await bench.begin("a")
        asked = await self._ask(bench, "a", "b")
        turn = await bench.begin("b")
        if over == "answered":
            await bench.answer(turn)
            await bench.put("b")
            await bench.begin("b")
        elif over == "given up":
            await bench.mailbox.end_wait(asked)
        else:
            await bench.clock.advance(61)
        await self._ask(bench, "b", "a")

    async def test_a_person_may_wait_for_whomever(self, bench: Bench) -> None:
        await bench.put("a", waits=60)
        await bench.begin("a")
        await bench.put(USER, sender="a", waits=60)
        await bench.put("a", waits=60)


class Threads(MailboxPart):
    """Automatic messages beyond a transport, where marks are lost."""

    async def _answers(self, bench: Bench, count: int, sender: str = "x@dock") -> list[str]:
        account = "dock/x" if "@" in sender else None
        replies = []
        for number in range(count):
            await bench.put("a", sender=sender, id=f"in-{sender}-{number}", thread="t", account=account)
            replies.append((await bench.exchange("a")).id)
        return replies

    async def test_one_too_many_in_an_hour_is_held_and_a_person_asked(self, bench: Bench, limits: Limits) -> None:
        *_, last = await self._answers(bench, limits.thread_automatic)
        assert not (await bench.delivery(last)).held
        delivery = await bench.delivery(await self._one_more(bench))
        assert (delivery.held, delivery.state) == (True, State.QUEUED)
        (request,) = await bench.mailbox.permissions()
        assert (request.delivery, request.state) == (delivery.id, RequestState.OPEN)

    async def _one_more(self, bench: Bench) -> str:
        await bench.put("a", sender="x@dock", id="one-more", thread="t", account="dock/x")
        return (await bench.exchange("a")).id

    async def test_an_hour_later_it_goes(self, bench: Bench, limits: Limits) -> None:
        await self._answers(bench, limits.thread_automatic)
        await bench.clock.advance(3601)
        assert not (await bench.delivery(await self._one_more(bench))).held

    async def test_between_those_here_nothing_is_held(self, bench: Bench, limits: Limits) -> None:
        replies = await self._answers(bench, limits.thread_automatic + 2, sender=USER)
        assert not any([(await bench.delivery(reply)).held for reply in replies])

    @pytest.mark.parametrize(
        ("decision", "outgoing", "state"),
        [(Decision.APPROVE, 1, State.QUEUED), (Decision.DENY, 0, State.REFUSED), (None, 0, State.REFUSED)],
    )
    async def test_a_held_one_goes_or_ends_as_the_person_decides(
        self, bench: Bench, limits: Limits, decision: Decision | None, outgoing: int, state: State
    ) -> None:
        for leased in await self._answers(bench, limits.thread_automatic):
            await bench.mailbox.cancel(leased)
        held = await self._one_more(bench)
        assert await bench.mailbox.outgoing("dock") == []
        assert await bench.mailbox.lease_outgoing("x@dock", owner="relay-1") is None
        (request,) = await bench.mailbox.permissions()
        if decision:
            await bench.mailbox.decide(request.id, decision, by=USER)
        else:
            await bench.clock.advance(request.expires_at - bench.clock.now())
            await bench.mailbox.tick()
        assert len(await bench.mailbox.outgoing("dock")) == outgoing
        assert (await bench.delivery(held)).state is state
        assert await bench.mailbox.permissions() == []

    async def test_a_held_one_that_is_cancelled_asks_nobody_any_more(self, bench: Bench, limits: Limits) -> None:
        await self._answers(bench, limits.thread_automatic)
        await bench.mailbox.cancel(await self._one_more(bench))
        assert await bench.mailbox.permissions() == []

    async def test_a_reply_that_a_transport_brings_in_finds_its_question(self, bench: Bench) -> None:
        asked = (await bench.put("a")).message
        turn = await bench.begin("a")
        question = (await bench.put("x@dock", sender="a")).message
        await bench.answer(turn)
        answer = Draft(
            sender="x@dock",
            to="a",
            body="yes",
            kind=MessageKind.REPLY,
            in_reply_to=(question.id,),
            thread=question.thread,
            account="dock/x",
        )
        message = (await bench.mailbox.put(answer)).message
        assert (message.root, message.hops) == (asked.id, question.hops + 1)
        assert reply_of(await bench.begin("a")).to == USER


class FollowUps(MailboxPart):
    """What a turn that nobody asked for says."""

    async def test_it_goes_to_whom_the_turn_behind_it_answered_once(self, bench: Bench) -> None:
        asked = (await bench.put(thread="t")).message
        leased = await bench.begin()
        await bench.answer(leased)
        note = await bench.mailbox.follow_up(leased.delivery.id, "note-1", "the build is green now")
        assert note is not None
        assert (note.kind, note.sender, note.to, note.thread) == (MessageKind.FOLLOW_UP, "a", USER, "t")
        assert (note.in_reply_to, note.cause, note.root) == ((asked.id,), leased.delivery.id, asked.root)
        assert await bench.mailbox.follow_up(leased.delivery.id, "note-1", "again") == note
        assert {message.body for message in await bench.inbox()} == {"done", "the build is green now"}

    async def test_between_agents_it_climbs_to_whoever_asked_first(self, bench: Bench) -> None:
        await bench.claim("b")
        asked = (await bench.put()).message
        await bench.begin("a")
        await bench.put("b", "what do you think?", sender="a")
        await bench.exchange("b", "good")
        answered = await bench.begin("a")
        note = await bench.mailbox.follow_up(answered.delivery.id, "note-1", "b has more to say")
        assert note is not None
        assert (note.to, note.in_reply_to) == (USER, (asked.id,))

    async def test_a_notice_has_nobody_to_follow_up_to_nor_has_what_is_known_no_more(self, bench: Bench) -> None:
        await bench.claim("b")
        await bench.put(sender="b")
        await bench.fail(await bench.begin("a"))
        notice = await bench.begin("b")
        assert await bench.mailbox.follow_up(notice.delivery.id, "note-1", "text") is None
        assert await bench.mailbox.follow_up(12345, "note-2", "text") is None
