"""What every mailbox promises of the tools that agents have: answers in the middle of a turn, threads, reactions, tasks."""

from __future__ import annotations

import pytest

from relaykit.errors import NotFoundError, RefusedError
from relaykit.model import USER, MessageKind, RelayRecord, State, Task, TaskState
from relaykit.testing.mailbox_bench import RELAY, Bench, MailboxPart


class Answering(MailboxPart):
    """An answer that an agent gives before its turn ends."""

    async def test_an_answer_in_the_turn_is_the_one_reply(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        leased = await bench.begin()
        early = (await bench.mailbox.answer("a", asked.id, "at once", id="early")).message
        assert (early.kind, early.to, early.thread) == (MessageKind.REPLY, USER, asked.thread)
        assert (early.in_reply_to, early.cause) == ((asked.id,), leased.delivery.id)
        await bench.answer_nothing_more(leased)
        trace = await bench.mailbox.trace(asked.id)
        assert [reply.body for reply in trace.replies] == ["at once"]
        assert trace.deliveries[0].state is State.ANSWERED

    async def test_a_second_answer_is_one_more_message_of_the_thread(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        await bench.begin()
        await bench.mailbox.answer("a", asked.id, "at once", id="first")
        more = (await bench.mailbox.answer("a", asked.id, "and more", id="second")).message
        assert (more.kind, more.thread, more.in_reply_to) == (MessageKind.MESSAGE, asked.thread, (asked.id,))

    async def test_an_answer_to_what_still_waits_leaves_its_turn_the_reply(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        early = (await bench.mailbox.answer("a", asked.id, "I saw it", id="early")).message
        assert early.kind is MessageKind.MESSAGE
        assert (await bench.exchange()).kind is MessageKind.REPLY

    async def test_a_takeover_keeps_an_answer_that_was_given(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        await bench.begin()
        await bench.mailbox.answer("a", asked.id, "before the crash", id="early")
        (held,) = (await bench.claim("a", relay="relay-2")).abandoned
        await bench.answer_nothing_more(await bench.mailbox.leased(held))
        assert [reply.body for reply in (await bench.mailbox.trace(asked.id)).replies] == ["before the crash"]

    async def test_an_answer_to_an_answer_goes_to_whoever_asked_first(self, bench: Bench) -> None:
        await bench.claim("b")
        asked = (await bench.put("a")).message
        turn = await bench.begin("a")
        await bench.put("b", sender="a")
        await bench.answer(turn, text="I have asked b")
        reply = await bench.exchange("b")
        await bench.begin("a")
        early = (await bench.mailbox.answer("a", reply.id, "b says yes", id="early")).message
        assert (early.kind, early.to, early.in_reply_to) == (MessageKind.FOLLOW_UP, USER, (asked.id,))

    async def test_only_who_got_a_message_answers_it(self, bench: Bench) -> None:
        await bench.claim("b")
        asked = (await bench.put("a")).message
        with pytest.raises(NotFoundError):
            await bench.mailbox.answer("b", asked.id, "not mine", id="early")

    async def test_a_notice_is_not_answered(self, bench: Bench) -> None:
        await bench.claim("b")
        await bench.put("b", sender="a")
        await bench.fail(await bench.begin("b"))
        (notice,) = await bench.inbox("a")
        with pytest.raises(RefusedError, match="notice"):
            await bench.mailbox.answer("a", notice.id, "thanks", id="early")

    async def test_an_answer_that_is_too_large_is_refused(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        await bench.begin()
        with pytest.raises(RefusedError, match="bytes"):
            await bench.mailbox.answer("a", asked.id, "x" * 700, id="early")


class Reading(MailboxPart):
    """Threads, reactions, and who can be reached."""

    async def test_a_thread_has_what_its_reader_sent_or_got_and_nothing_else(self, bench: Bench) -> None:
        await bench.claim("b")
        first = (await bench.put("a")).message
        await bench.exchange("a", text="answered")
        await bench.put("b", body="between others", thread=first.thread)
        assert [one.body for one in await bench.mailbox.thread(first.thread, "a")] == ["hello", "answered"]
        assert [one.body for one in await bench.mailbox.thread(first.thread, "b")] == ["between others"]
        assert [one.body for one in await bench.mailbox.thread(first.thread, "a", limit=1)] == ["answered"]
        assert list(await bench.mailbox.thread(first.thread, "c")) == []
        reply = (await bench.mailbox.trace(first.id)).replies[0]
        assert [one.body for one in await bench.mailbox.thread(reply.id, USER)] == [
            "hello",
            "answered",
            "between others",
        ]

    async def test_a_reaction_is_kept_once_and_shown(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        for what in ("seen", "seen", "+1"):
            await bench.mailbox.react(asked.id, "a", what)
        found = (await bench.mailbox.trace(asked.id)).reactions
        assert sorted((one.who, one.what) for one in found) == [("a", "+1"), ("a", "seen")]
        (item,) = await bench.mailbox.inbox("a")
        assert item.reactions == found

    async def test_who_has_no_part_in_a_message_cannot_react(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        with pytest.raises(NotFoundError):
            await bench.mailbox.react(asked.id, "b", "+1")

    async def test_a_reaction_is_short(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        for what in ("", "x" * 33, "two\nlines"):
            with pytest.raises(RefusedError):
                await bench.mailbox.react(asked.id, "a", what)

    async def test_only_agents_that_one_may_send_to_are_found(self, bench: Bench) -> None:
        await bench.claim("b")
        await bench.claim("closed", reachable_by=("b",))
        assert [one.agent.id for one in await bench.mailbox.reachable("a")] == ["b"]
        assert [one.agent.id for one in await bench.mailbox.reachable("b")] == ["a", "closed"]


class Tasks(MailboxPart):
    """Tasks follow their deliveries."""

    async def test_a_task_is_claimed_by_the_lease_in_progress_when_seen_and_done_at_the_end(self, bench: Bench) -> None:
        asked = (await bench.put(task="mend it")).message
        found = [await self._task(bench, asked.id)]
        leased = await bench.lease()
        found.append(await self._task(bench, asked.id))
        await bench.saw(leased.lease, "turn-1")
        found.append(await self._task(bench, asked.id))
        await bench.answer(leased)
        found.append(await self._task(bench, asked.id))
        assert [one.state for one in found] == [*TaskState][:4]
        assert [one.agent for one in found] == [None, "a", "a", "a"]
        assert (found[3].title, found[3].turn, asked.task) == ("mend it", "turn-1", "mend it")

    async def test_a_task_whose_turn_ends_otherwise_than_well_failed(self, bench: Bench) -> None:
        asked = (await bench.put(task="mend it")).message
        await bench.fail(await bench.begin(), reason="it broke")
        found = await self._task(bench, asked.id)
        assert (found.state, found.note) == (TaskState.FAILED, "it broke")
        await bench.mailbox.requeue(asked.id)
        found = await self._task(bench, asked.id)
        assert (found.state, found.agent, found.note) == (TaskState.OPEN, None, "")

    async def test_what_its_agent_said_of_the_end_stays(self, bench: Bench) -> None:
        asked = (await bench.put(task="mend it")).message
        leased = await bench.begin()
        await bench.mailbox.set_task(asked.id, "a", TaskState.FAILED, "no way")
        await bench.answer(leased)
        found = await self._task(bench, asked.id)
        assert (found.state, found.note) == (TaskState.FAILED, "no way")

    async def test_a_released_delivery_opens_its_task(self, bench: Bench) -> None:
        asked = (await bench.put(task="mend it")).message
        await bench.mailbox.release((await bench.lease()).lease, "later")
        found = await self._task(bench, asked.id)
        assert (found.state, found.agent) == (TaskState.OPEN, None)

    async def test_a_takeover_goes_on_with_the_task(self, bench: Bench) -> None:
        asked = (await bench.put(task="mend it")).message
        await bench.begin()
        (held,) = (await bench.claim("a", relay="relay-2")).abandoned
        assert (await self._task(bench, asked.id)).state is TaskState.IN_PROGRESS
        await bench.answer(await bench.mailbox.leased(held))
        assert (await self._task(bench, asked.id)).state is TaskState.DONE

    async def test_being_shown_a_task_is_not_having_done_it(self, bench: Bench) -> None:
        sent = await bench.put(USER, sender="a", task="decide")
        await bench.mailbox.acknowledge([one.id for one in sent.deliveries], "shown")
        assert (await self._task(bench, sent.message.id)).state is TaskState.OPEN

    async def test_each_of_a_group_has_a_task_of_its_own(self, bench: Bench) -> None:
        await bench.claim("b", "c", tags=("x",))
        asked = (await bench.put("tag:x", task="mend it")).message
        await bench.begin("b")
        assert (await bench.mailbox.task(asked.id, "b")).state is TaskState.IN_PROGRESS
        assert (await bench.mailbox.task(asked.id, "c")).state is TaskState.OPEN

    async def test_a_claimed_task_of_any_is_offered_to_nobody_else(self, bench: Bench) -> None:
        await self._relays(bench)
        await bench.claim("b", "c", tags=("x",))
        asked = (await bench.put("any:tag:x", task="mend it")).message
        claimed = await bench.mailbox.claim_task(asked.id, "c")
        assert (claimed.state, claimed.agent) == (TaskState.CLAIMED, "c")
        with pytest.raises(RefusedError, match="c has it"):
            await bench.mailbox.claim_task(asked.id, "b")
        assert await bench.offered("b") is None
        assert list(await bench.mailbox.waiting(["b", "c"])) == ["c"]
        assert (await bench.lease("c")).message.id == asked.id

    async def test_a_claim_ends_with_the_heartbeat_of_its_relay(self, bench: Bench) -> None:
        await self._relays(bench)
        await bench.claim("b", "c", tags=("x",), relay="relay-2")
        asked = (await bench.put("any:tag:x", task="mend it")).message
        await bench.mailbox.claim_task(asked.id, "c")
        await bench.mailbox.release_stale("boot", 5.0)
        assert (await self._task(bench, asked.id)).state is TaskState.CLAIMED
        await bench.mailbox.release_stale("boot", 15.0)
        assert (await self._task(bench, asked.id)).state is TaskState.OPEN
        assert await bench.offered("b", relay="relay-2") is not None

    async def test_a_claim_ends_with_a_relay_that_leaves(self, bench: Bench) -> None:
        await self._relays(bench)
        await bench.claim("c", tags=("x",), relay="relay-2")
        asked = (await bench.put("any:tag:x", task="mend it")).message
        await bench.mailbox.claim_task(asked.id, "c")
        await bench.mailbox.leave("relay-2")
        assert (await self._task(bench, asked.id)).state is TaskState.OPEN

    @pytest.mark.parametrize("died", [True, False])
    async def test_so_does_a_task_in_progress_that_was_not_handed_over(self, bench: Bench, died: bool) -> None:
        await self._relays(bench)
        await bench.claim("b", tags=("x",))
        await bench.claim("c", tags=("x",), relay="relay-2")
        asked = (await bench.put("any:tag:x", task="mend it")).message
        await bench.mailbox.claim_task(asked.id, "c")
        await bench.mailbox.set_task(asked.id, "c", TaskState.IN_PROGRESS, "half of it")
        assert await bench.offered("b") is None
        if died:
            await bench.mailbox.beat(RELAY, "boot", 40.0)
            await bench.mailbox.release_stale("boot", 15.0)
        else:
            await bench.mailbox.leave("relay-2")
        found = await self._task(bench, asked.id)
        assert (found.state, found.agent, found.note) == (TaskState.OPEN, None, "")
        assert await bench.offered("b") is not None

    async def test_what_one_of_any_has_done_is_given_to_nobody_else(self, bench: Bench) -> None:
        await self._relays(bench)
        await bench.claim("b", "c", tags=("x",))
        asked = (await bench.put("any:tag:x", task="mend it")).message
        await bench.mailbox.claim_task(asked.id, "c")
        await bench.mailbox.set_task(asked.id, "c", TaskState.DONE, "mended")
        assert await bench.offered("b") is None
        assert list(await bench.mailbox.waiting(["b", "c"])) == ["c"]
        assert (await bench.lease("c")).message.id == asked.id

    async def test_a_task_is_its_holders_to_speak_of(self, bench: Bench) -> None:
        await bench.claim("b")
        asked = (await bench.put("b", sender="a", task="mend it")).message
        assert (await bench.mailbox.task(asked.id, "a")).title == "mend it"
        with pytest.raises(RefusedError, match="gave it away"):
            await bench.mailbox.set_task(asked.id, "a", TaskState.DONE)
        with pytest.raises(RefusedError, match="claim it first"):
            await bench.mailbox.set_task(asked.id, "b", TaskState.DONE)
        await bench.begin("b")
        with pytest.raises(RefusedError, match="in progress, done or failed"):
            await bench.mailbox.set_task(asked.id, "b", TaskState.OPEN)
        with pytest.raises(NotFoundError):
            await bench.mailbox.task(asked.id, "c")

    async def test_a_title_is_one_line(self, bench: Bench) -> None:
        for title in ("", "two\nlines", "x" * 201):
            with pytest.raises(RefusedError, match="title"):
                await bench.put(task=title)

    async def test_the_inbox_shows_the_task(self, bench: Bench) -> None:
        await bench.put(task="mend it")
        (item,) = await bench.mailbox.inbox("a")
        assert item.task is not None
        assert (item.task.title, item.task.state) == ("mend it", TaskState.OPEN)

    async def _task(self, bench: Bench, message: str) -> Task:
        (task,) = (await bench.mailbox.trace(message)).tasks
        return task

    async def _relays(self, bench: Bench) -> None:
        for name in (RELAY, "relay-2"):
            await bench.mailbox.join(RelayRecord(incarnation=name, pid=1, boot="boot", beat=10.0))
