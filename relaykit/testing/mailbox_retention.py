"""What every mailbox promises of removing what has ended."""

from __future__ import annotations

import pytest

from relaykit.errors import ConflictError, NotFoundError
from relaykit.model import USER, State
from relaykit.testing.mailbox_bench import Bench, MailboxPart

_GOOD = (State.ANSWERED, "completed")


class Retention(MailboxPart):
    """Removing what has ended."""

    async def _age(self, bench: Bench, count: int) -> list[str]:
        ids = []
        for _ in range(count):
            ids.append((await bench.put()).message.id)
            await bench.mailbox.settle([(await bench.begin()).lease], *_GOOD)
        await bench.clock.advance(100)
        return ids

    async def _sweep(self, bench: Bench, keys: float = 1e6, limit: int = 500) -> int:
        now = bench.clock.now()
        return await bench.mailbox.sweep(settled_before=now - 50, keys_before=now - keys, limit=limit)

    async def _read(self, bench: Bench) -> None:
        await bench.mailbox.acknowledge([item.delivery.id for item in await bench.mailbox.inbox(USER)], "shown")

    async def test_what_ended_before_is_removed_and_what_is_under_way_stays(self, bench: Bench) -> None:
        old = await self._age(bench, 2)
        waiting = (await bench.put()).message
        assert await self._sweep(bench) == 2
        for name in old:
            with pytest.raises(NotFoundError):
                await bench.mailbox.trace(name)
        assert (await bench.lease()).message == waiting
        assert await self._sweep(bench) == 0

    async def test_at_most_so_many_are_removed_at_once(self, bench: Bench) -> None:
        await self._age(bench, 3)
        assert [await self._sweep(bench, limit=2) for _ in range(3)] == [2, 1, 0]

    async def test_a_message_stays_while_one_of_its_deliveries_does(self, bench: Bench) -> None:
        await bench.claim("b")
        sent = (await bench.put("broadcast")).message
        await bench.mailbox.settle([(await bench.begin("b")).lease], *_GOOD)
        await bench.clock.advance(100)
        assert await self._sweep(bench) == 1
        assert [one.recipient for one in (await bench.mailbox.trace(sent.id)).deliveries] == ["a"]

    async def test_the_id_of_a_removed_message_is_remembered_for_a_time(self, bench: Bench) -> None:
        (name,) = await self._age(bench, 1)
        await self._sweep(bench)
        again = await bench.put(id=name)
        assert (again.first, again.deliveries) == (False, ())
        with pytest.raises(ConflictError):
            await bench.put(id=name, body="other")
        await self._sweep(bench, keys=50)
        assert (await bench.put(id=name, body="other")).first

    async def test_what_led_to_a_question_that_is_open_stays(self, bench: Bench) -> None:
        await bench.claim("b", "c")
        asked = [(await bench.put()).message]
        for sender, to in (("a", "b"), ("b", "c")):
            leased = await bench.begin(sender)
            asked.append((await bench.put(to, sender=sender)).message)
            await bench.answer(leased, text="I asked")
        await bench.mailbox.settle([(await bench.begin("a")).lease], *_GOOD)  # b's, which says that it asked
        await self._read(bench)
        await bench.clock.advance(100)
        await self._sweep(bench)
        await bench.exchange("c")
        await bench.exchange("b")
        await bench.exchange("a", text="c knows")
        (last,) = await bench.inbox()
        assert (last.body, last.in_reply_to) == ("c knows", (asked[0].id,))
        await self._read(bench)
        await bench.clock.advance(100)
        await self._sweep(bench)
        for message in asked:
            with pytest.raises(NotFoundError):
                await bench.mailbox.trace(message.id)
