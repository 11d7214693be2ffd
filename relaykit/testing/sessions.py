"""What every session store promises, as tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
import pytest
from msgspec.structs import replace

from relaykit.errors import StoreError
from relaykit.model import BlockEnded, BlockStarted, Event, SessionRecord
from relaykit.plugin import SessionStore
from relaykit.testing.occurrences import DURABLE, NASTY_TEXT, numbered, text_block

SECONDS = 10.0
"""Within which each test is over."""


def record(id: str = "s", agent: str = "a", started_at: float = 1.0) -> SessionRecord:
    """Return a session that was not begun yet."""
    return SessionRecord(id=id, agent=agent, provider="echo", cwd="/home/user", started_at=started_at)


def ended(number: int, *, text: str = "", agent: str = "a", session: str = "s", at: float = 10.0) -> Event:
    """Return the end of a block of its own."""
    return numbered(BlockEnded(block=text_block(f"b{number}", text)), number, agent=agent, session=session, at=at)


def numbers(events: Sequence[Event]) -> list[int]:
    """Return the events' numbers."""
    return [event.number for event in events]


class _Suite:
    """What the parts of the suite have in common."""

    keeps = True
    """Whether what was stored is there when the store is opened again in the same directory."""

    def open(self, directory: Path) -> AbstractAsyncContextManager[SessionStore]:
        """Open the store that keeps its files in a directory; to be defined by the subclass."""
        raise NotImplementedError

    @asynccontextmanager
    async def _opened(self, directory: Path) -> AsyncIterator[SessionStore]:
        with anyio.fail_after(SECONDS):
            async with self.open(directory) as store:
                yield store


class _Sessions(_Suite):
    async def test_a_session_that_begins_is_returned_as_it_is(self, tmp_path: Path) -> None:
        async with self._opened(tmp_path) as store:
            assert await store.begin(record()) == record()

    async def test_a_session_that_begins_again_has_the_number_of_its_last_event(self, tmp_path: Path) -> None:
        async with self._opened(tmp_path) as store:
            await store.begin(record())
            await store.append([ended(1), ended(2)])
            again = await store.begin(record(started_at=2.0))
        assert again == replace(record(), last_number=2)

    async def test_a_session_that_was_closed_says_when_until_it_begins_again(self, tmp_path: Path) -> None:
        async with self._opened(tmp_path) as store:
            await store.begin(record())
            await store.end("s", 5.0)
            assert [item.ended_at for item in await store.sessions()] == [5.0]
            assert (await store.begin(record())).ended_at is None

    async def test_sessions_come_latest_first_and_by_agent(self, tmp_path: Path) -> None:
        async with self._opened(tmp_path) as store:
            for name, agent, at in (("one", "a", 1.0), ("three", "b", 3.0), ("two", "a", 2.0)):
                await store.begin(record(name, agent, at))
            assert [item.id for item in await store.sessions()] == ["three", "two", "one"]
            assert [item.id for item in await store.sessions("a")] == ["two", "one"]
            assert await store.sessions("nobody") == []


class _Appending(_Suite):
    async def test_every_kind_of_event_comes_back_as_it_was(self, tmp_path: Path) -> None:
        events = [numbered(what, number) for number, what in enumerate(DURABLE, 1)]
        async with self._opened(tmp_path) as store:
            await store.begin(record())
            cursors = await store.append(events)
            stored = await store.events()
        assert list(stored) == [replace(event, cursor=cursor) for event, cursor in zip(events, cursors, strict=True)]

    async def test_cursors_only_grow(self, tmp_path: Path) -> None:
        async with self._opened(tmp_path) as store:
            await store.begin(record())
            assert await store.last_cursor() == 0
            cursors = [*await store.append([ended(1), ended(2)]), *await store.append([ended(3)])]
            assert await store.last_cursor() == cursors[-1]
        assert cursors == sorted(set(cursors))
        assert cursors[0] > 0

    async def test_a_number_that_is_stored_already_is_refused_with_its_whole_batch(self, tmp_path: Path) -> None:
        async with self._opened(tmp_path) as store:
            await store.begin(record())
            await store.begin(record("other"))
            await store.append([ended(1), ended(2)])
            with pytest.raises(StoreError):
                await store.append([ended(1, session="other"), ended(2)], [("s", "b", "text")])
            assert len(await store.events()) == 2
            assert await store.partials("s") == {}
            assert (await store.begin(record("other"))).last_number == 0

    async def test_a_number_that_leaves_a_hole_is_refused(self, tmp_path: Path) -> None:
        async with self._opened(tmp_path) as store:
            await store.begin(record())
            with pytest.raises(StoreError):
                await store.append([ended(1), ended(3)])
            assert await store.events() == []

    async def test_events_of_a_session_that_was_not_begun_are_refused(self, tmp_path: Path) -> None:
        async with self._opened(tmp_path) as store:
            with pytest.raises(StoreError):
                await store.append([ended(1)])

    async def test_text_that_no_encoding_takes_comes_back_as_it_was(self, tmp_path: Path) -> None:
        async with self._opened(tmp_path) as store:
            await store.begin(record())
            await store.append([ended(1, text=NASTY_TEXT)], [("s", "b", NASTY_TEXT)])
            (event,) = await store.events()
            assert await store.partials("s") == {"b": NASTY_TEXT}
        assert isinstance(event.what, BlockEnded)
        assert event.what.block.text == NASTY_TEXT

    async def test_many_who_append_at_once_do_not_mix_their_sessions(self, tmp_path: Path) -> None:
        async def write(session: str) -> None:
            for number in range(1, 21):
                await store.append([ended(number, session=session)])

        names = [f"s{number}" for number in range(8)]
        async with self._opened(tmp_path) as store:
            for name in names:
                await store.begin(record(name))
            async with anyio.create_task_group() as tasks:
                for name in names:
                    tasks.start_soon(write, name, name=f"writer of {name}")
            for name in names:
                assert numbers(await store.events(session=name)) == list(range(1, 21))
            assert len({event.cursor for event in await store.events()}) == 160


class _Reading(_Suite):
    async def test_events_after_a_cursor_come_in_pages_each_once(self, tmp_path: Path) -> None:
        seen: list[Event] = []
        async with self._opened(tmp_path) as store:
            await store.begin(record())
            await store.append([ended(number) for number in range(1, 8)])
            while page := await store.events(after=seen[-1].cursor if seen else 0, limit=3):
                assert len(page) <= 3
                seen.extend(page)
        assert numbers(seen) == list(range(1, 8))

    async def test_events_are_chosen_by_agent_and_by_session(self, tmp_path: Path) -> None:
        async with self._opened(tmp_path) as store:
            for name, agent in (("s1", "a"), ("s2", "a"), ("s3", "b")):
                await store.begin(record(name, agent))
                await store.append([ended(1, session=name, agent=agent), ended(2, session=name, agent=agent)])
            assert [event.session for event in await store.events(agent="a")] == ["s1", "s1", "s2", "s2"]
            assert [event.session for event in await store.events(session="s2")] == ["s2", "s2"]
            assert await store.events(agent="b", session="s2") == []
            assert await store.events(agent="nobody") == []
            (first, second) = await store.events(agent="b")
            assert await store.events(agent="b", after=first.cursor) == [second]

    async def test_text_so_far_is_kept_until_the_end_of_its_block(self, tmp_path: Path) -> None:
        begun = [numbered(BlockStarted(block=text_block(f"b{number}")), number) for number in (1, 2)]
        async with self._opened(tmp_path) as store:
            await store.begin(record())
            await store.append(begun, [("s", "b1", "one"), ("s", "b2", "two")])
            await store.append([], [("s", "b1", "one and more")])
            assert await store.partials("s") == {"b1": "one and more", "b2": "two"}
            end = numbered(BlockEnded(block=text_block("b1", "all of it")), 3)
            await store.append([end], [("s", "b1", "all of")])
            assert await store.partials("s") == {"b2": "two"}
            assert await store.partials("unknown") == {}

    async def test_everything_is_there_when_it_is_opened_again(self, tmp_path: Path) -> None:
        if not self.keeps:
            pytest.skip("it is gone when it is closed")
        async with self._opened(tmp_path) as store:
            await store.begin(record())
            await store.append([ended(1), ended(2)], [("s", "b", "so far")])
        async with self._opened(tmp_path) as store:
            assert numbers(await store.events()) == [1, 2]
            assert await store.partials("s") == {"b": "so far"}
            assert (await store.begin(record())).last_number == 2


class _Sweeping(_Suite):
    async def test_what_is_too_old_is_removed_and_nothing_else(self, tmp_path: Path) -> None:
        async with self._opened(tmp_path) as store:
            await store.begin(record())
            await store.append([ended(number, at=float(number)) for number in range(1, 7)])
            assert await store.sweep(before=4.0, max_bytes=10**9) == 3
            assert await store.sweep(before=4.0, max_bytes=10**9) == 0
            assert numbers(await store.events()) == [4, 5, 6]

    async def test_an_agent_that_wrote_too_much_loses_its_oldest_events(self, tmp_path: Path) -> None:
        async with self._opened(tmp_path) as store:
            await store.begin(record("s", "a"))
            await store.begin(record("t", "b"))
            await store.append([ended(number, text="x" * 10_000) for number in range(1, 11)])
            await store.append([ended(1, session="t", agent="b")])
            while await store.sweep(before=0.0, max_bytes=50_000):
                pass
            left = await store.events(agent="a")
            assert numbers(left) == list(range(11 - len(left), 11))
            assert 1 <= len(left) <= 5
            assert numbers(await store.events(agent="b")) == [1]

    async def test_a_sweep_removes_no_more_than_it_was_allowed(self, tmp_path: Path) -> None:
        async with self._opened(tmp_path) as store:
            await store.begin(record())
            await store.append([ended(number) for number in range(1, 11)])
            swept = [await store.sweep(before=100.0, max_bytes=0, limit=4) for _ in range(4)]
        assert swept == [4, 4, 2, 0]

    async def test_numbers_and_cursors_go_on_when_everything_was_swept(self, tmp_path: Path) -> None:
        async with self._opened(tmp_path) as store:
            await store.begin(record())
            (cursor,) = await store.append([ended(1)], [("s", "cut off", "text")])
            assert await store.sweep(before=100.0, max_bytes=0) == 1
            assert await store.partials("s") == {}
            again = await store.begin(record())
            (following,) = await store.append([ended(again.last_number + 1)])
        assert again.last_number == 1
        assert following > cursor


@pytest.mark.anyio
class SessionStoreSuite(_Sessions, _Appending, _Reading, _Sweeping):
    """Subclass it as ``TestYourStore`` and define ``open``; each test opens a store in a directory of its own."""
