"""What every mailbox promises of agents that no relay runs, which read their inboxes themselves."""

from __future__ import annotations

import pytest

from relaykit.errors import AlreadyRunError, FullError, NotFoundError, RefusedError
from relaykit.model import USER, Agent, MessageKind, Report, State, Status, StatusKind
from relaykit.testing.mailbox_bench import LIMITS, Bench, MailboxPart

READER = Agent(id="reader", provider="dock", cwd="", tags=("t",), reads_inbox=True)


class Inboxes(MailboxPart):
    """Agents that read their inboxes themselves."""

    async def test_it_is_in_the_directory_and_its_groups_offline_at_first(self, bench: Bench) -> None:
        await bench.mailbox.enroll(READER)
        entry = next(one for one in await bench.mailbox.agents() if one.agent.id == "reader")
        assert (entry.agent, entry.status.kind, entry.owner) == (READER, StatusKind.OFFLINE, None)
        sent = await bench.put("tag:t", sender="a")
        assert [one.recipient for one in sent.deliveries] == ["reader"]

    async def test_how_it_is_stays_when_it_is_described_anew(self, bench: Bench) -> None:
        await bench.mailbox.enroll(READER)
        busy = Status(kind=StatusKind.BUSY, since=1.0)
        await bench.mailbox.note([], Report(agent="reader", epoch=0, status=busy, pid=None, session=None))
        await bench.mailbox.enroll(READER)
        entry = next(one for one in await bench.mailbox.agents() if one.agent.id == "reader")
        assert entry.status == busy

    async def test_it_reads_in_the_order_of_arrival_and_takes_what_it_likes(self, bench: Bench) -> None:
        await bench.mailbox.enroll(READER)
        first, second, third = [(await bench.put("reader", body)).message.id for body in ("1", "2", "3")]
        assert [one.message.id for one in await bench.mailbox.unread("reader", limit=2)] == [first, second]
        assert await bench.mailbox.take("reader", [second, "nobody knows it"], "acknowledged") == [second]
        assert await bench.mailbox.take("reader", [second], "again") == []
        left = await bench.mailbox.unread("reader")
        assert [one.message.id for one in left] == [first, third]
        after = await bench.mailbox.unread("reader", after=left[0].delivery.id)
        assert [one.message.id for one in after] == [third]
        taken = await bench.delivery(second)
        assert (taken.state, taken.reason) == (State.ACKNOWLEDGED, "acknowledged")

    async def test_nobody_takes_what_came_to_another(self, bench: Bench) -> None:
        await bench.mailbox.enroll(READER)
        asked = (await bench.put("a")).message
        assert await bench.mailbox.take("reader", [asked.id], "mine") == []
        assert (await bench.delivery(asked.id)).state is State.QUEUED
        with pytest.raises(NotFoundError):
            await bench.mailbox.take("a", [asked.id], "a relay runs it")

    async def test_what_arrives_for_whom_is_told_once_from_a_number_on(self, bench: Bench) -> None:
        await bench.mailbox.enroll(READER)
        await bench.put("reader", "before")
        begin, nothing = await bench.mailbox.arrived(None, ["reader"])
        assert list(nothing) == []
        sent = [(await bench.put(to, "now")).message.id for to in ("reader", "a", "reader")]
        middle, items = await bench.mailbox.arrived(begin, ["reader"], limit=1)
        assert [one.message.id for one in items] == [sent[0]]
        last, items = await bench.mailbox.arrived(middle, ["reader"])
        assert [one.message.id for one in items] == [sent[2]]
        assert await bench.mailbox.arrived(last, ["reader"]) == (last, [])

    async def test_no_relay_runs_it_and_it_takes_no_other_ones_name(self, bench: Bench) -> None:
        await bench.mailbox.enroll(READER)
        with pytest.raises(AlreadyRunError, match="'reader' is an agent of dock here"):
            await bench.claim("reader")
        for taken in ("a", USER):
            with pytest.raises(RefusedError):
                await bench.mailbox.enroll(Agent(id=taken, provider="dock", cwd="", reads_inbox=True))

    async def test_any_of_a_group_does_not_mean_it(self, bench: Bench) -> None:
        await bench.mailbox.enroll(READER)
        with pytest.raises(RefusedError, match="no relay runs any"):
            await bench.put("any:tag:t")

    async def test_too_much_for_it_is_refused_for_now(self, bench: Bench) -> None:
        await bench.mailbox.enroll(READER)
        for _ in range(LIMITS.queued):
            await bench.put("reader", "x")
        with pytest.raises(FullError):
            await bench.put("reader", "x")

    async def test_when_it_goes_what_waits_for_it_is_refused(self, bench: Bench) -> None:
        await bench.mailbox.enroll(READER)
        asked = (await bench.put("reader", sender="a")).message
        await bench.mailbox.dismiss("reader")
        assert (await bench.delivery(asked.id)).state is State.REFUSED
        (notice,) = await bench.mailbox.inbox("a")
        assert notice.message.kind is MessageKind.NOTICE
        with pytest.raises(NotFoundError):
            await bench.mailbox.dismiss("reader")
        with pytest.raises(RefusedError):
            await bench.put("reader")
