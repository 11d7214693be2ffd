from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from relaykit.errors import ProviderError, StoreBusyError, StoreError
from relaykit.model import (
    BlockDelta,
    BlockEnded,
    BlockStarted,
    Fault,
    Origin,
    Outcome,
    ProviderNote,
    SessionRecord,
    TurnEnded,
    TurnStarted,
    Whose,
)
from relaykit.relay.events.fanout import Fanout
from relaykit.relay.events.recorder import back_off, open_recorder
from relaykit.testing.clock import VirtualClock
from relaykit.testing.memory_sessions import memory_sessions
from relaykit.testing.occurrences import text_block

pytestmark = pytest.mark.anyio
SECONDS = 10


class TestingStore:
    """A real store in memory, whose appends a test counts, holds up and has fail."""

    __test__ = False

    def __init__(self, store):
        self._store = store
        self.batches = []
        self.fails = 0
        self.open = anyio.Event()
        self.open.set()

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def append(self, events, partials=()):
        self.batches.append((len(events), len(partials)))
        await self.open.wait()
        if self.fails:
            self.fails -= 1
            raise StoreBusyError("busy")
        return await self._store.append(events, partials)


class Scene:
    """A recorder with all that it needs, and one who watches it."""

    def __init__(self, store, clock, limit=64 * 2**20):
        self.store = store
        self.clock = clock
        self.limit = limit
        self.fanout = Fanout(store)
        self.seen = []
        self.told = []

    @asynccontextmanager
    async def recorder(self, session="s"):
        record = await self.store.begin(
            SessionRecord(id=session, agent=session.upper(), provider="p", cwd="/", started_at=0)
        )
        async with open_recorder(
            record, store=self.store, fanout=self.fanout, clock=self.clock, notify=self.told.append, limit=self.limit
        ) as recorder:
            yield recorder

    async def watch(self, *, task_status):
        async with self.fanout.subscribe() as items:
            task_status.started()
            async for item in items:
                self.seen.append(item)

    @asynccontextmanager
    async def watching(self):
        """Watch until the context is left, then let the watcher take in the rest."""
        async with anyio.create_task_group() as tasks:
            await tasks.start(self.watch, name="watcher")
            yield
            self.fanout.close()

    async def stored(self):
        return [(event.number, event.what) for event in await self.store.events(limit=10**6)]


@asynccontextmanager
async def scene(limit=64 * 2**20):
    with memory_sessions() as store, anyio.fail_after(SECONDS):
        yield Scene(TestingStore(store), VirtualClock(), limit)


def start(block="b", turn=None):
    return BlockStarted(block=text_block(block, turn=turn))


def end(block="b", text=""):
    return BlockEnded(block=text_block(block, text))


def delta(text="x", block="b"):
    return BlockDelta(block=block, text=text)


def note(name="n"):
    return ProviderNote(name=name)


def places(events):
    return [(event.number, event.part) for event in events]


async def test_durable_events_count_up_and_deltas_count_inside_their_block():
    async with scene() as it, it.watching(), it.recorder() as recorder:
        for what in (start("a"), start("b"), delta(block="a"), delta(block="b"), delta(block="a"), end("a"), note()):
            recorder.offer(what)
        await recorder.flush()
    assert places(it.seen) == [(1, 0), (2, 0), (1, 1), (2, 1), (1, 2), (3, 0), (4, 0)]
    assert [event.cursor for event in it.seen if not event.part] == [1, 2, 3, 4]


async def test_numbers_go_on_where_the_session_ended():
    async with scene() as it:
        for _ in range(2):
            async with it.recorder() as recorder:
                recorder.offer(note())
        assert await it.stored() == [(1, note()), (2, note())]


async def test_nothing_is_shown_before_it_is_stored():
    async with scene() as it, it.watching(), it.recorder() as recorder:
        it.store.open = anyio.Event()
        for what in (delta(), note(), delta()):
            recorder.offer(what)
        await anyio.wait_all_tasks_blocked()
        assert it.seen == []
        it.store.open.set()
        await recorder.flush()
        await anyio.wait_all_tasks_blocked()
        assert places(it.seen) == [(0, 1), (1, 0), (0, 2)]


async def test_what_waits_is_stored_in_one_transaction_and_deltas_alone_need_none():
    async with scene() as it, it.recorder() as recorder:
        for _ in range(100):
            recorder.offer(note())
            recorder.offer(delta())
        await recorder.flush()
        recorder.offer(delta())
        await recorder.flush()
        assert it.store.batches == [(100, 0)]


async def test_flushing_waits_for_what_was_offered_before_and_not_for_what_comes_after():
    async with scene() as it, it.recorder() as recorder:
        await recorder.flush()
        recorder.offer(note("before"))
        async with anyio.create_task_group() as tasks:
            it.store.open = anyio.Event()
            flushed = anyio.Event()

            async def flush():
                await recorder.flush()
                flushed.set()

            tasks.start_soon(flush, name="flush")
            await anyio.wait_all_tasks_blocked()
            recorder.offer(note("after"))
            assert not flushed.is_set()
            gate, it.store.open = it.store.open, anyio.Event()
            gate.set()
            await flushed.wait()
            assert await it.stored() == [(1, note("before"))]
            it.store.open.set()


async def test_the_text_so_far_is_saved_once_a_second_until_the_block_ends():
    async with scene() as it, it.recorder() as recorder:
        recorder.offer(start())
        for text in ("one ", "two "):
            recorder.offer(delta(text))
            await it.clock.advance(0.4)
        assert await it.store.partials("s") == {}
        await it.clock.advance(0.3)
        assert await it.store.partials("s") == {"b": "one two "}
        await it.clock.advance(60)
        assert it.store.batches == [(1, 0), (0, 1)]
        recorder.offer(delta("three"))
        await it.clock.advance(1.1)
        assert await it.store.partials("s") == {"b": "one two three"}
        recorder.offer(delta("four"))
        recorder.offer(end())
        await recorder.flush()
        assert await it.store.partials("s") == {}
        await it.clock.advance(60)
        assert await it.store.partials("s") == {}


async def test_a_store_that_fails_is_tried_again_and_nothing_is_lost():
    async with scene() as it, it.watching(), it.recorder() as recorder:
        it.store.fails = 3
        recorder.offer(note("one"))
        await anyio.wait_all_tasks_blocked()
        recorder.offer(note("two"))
        assert isinstance(recorder.failing, StoreBusyError)
        assert it.seen == []
        await it.clock.advance(0.1)
        assert recorder.failing
        await it.clock.advance(0.2)
        assert recorder.failing
        await it.clock.advance(0.4)
        assert recorder.failing is None
        await recorder.flush()
        assert await it.stored() == [(1, note("one")), (2, note("two"))]
    assert [type(error) for error in it.told] == [StoreBusyError, type(None)]
    assert places(it.seen) == [(1, 0), (2, 0)]


def test_the_pauses_between_tries_double_up_to_five_seconds():
    pauses = back_off()
    assert [next(pauses) for _ in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


async def test_beyond_the_limit_deltas_are_merged_and_everything_else_is_kept():
    async with scene(limit=20_000) as it, it.watching(), it.recorder() as recorder:
        it.store.open = anyio.Event()
        recorder.offer(start("a"))
        await anyio.wait_all_tasks_blocked()
        recorder.offer(start("b"))
        for number in range(1000):
            recorder.offer(delta(f"{number} ", "ab"[number % 2]))
        recorder.offer(end("a"))
        for number in range(1000):
            recorder.offer(delta(f"{number} ", "b"))
            recorder.offer(note())
        it.store.open.set()
        await recorder.flush()
        assert (await it.stored())[:3] == [(1, start("a")), (2, start("b")), (3, end("a"))]
        assert len(await it.stored()) == 1003
    deltas = [event for event in it.seen if event.part]
    assert places(deltas) == [(1, 1), (2, 1)]
    assert deltas[0].what.text == "".join(f"{number} " for number in range(0, 1000, 2))
    assert deltas[1].what.text == "".join(f"{number} " for number in [*range(1, 1000, 2), *range(1000)])


async def test_a_late_joiner_is_told_the_blocks_so_far():
    async with scene() as it, it.recorder() as recorder:
        for what in (start("a"), delta("one ", "a"), start("b"), delta("two", "a"), start("c"), end("c")):
            recorder.offer(what)
        assert recorder.snapshot() == []
        await recorder.flush()
        begun, so_far, other = recorder.snapshot()
        assert (begun.what, begun.number, begun.cursor) == (start("a"), 1, 1)
        assert (so_far.what, so_far.number, so_far.part) == (delta("one two", "a"), 1, 2)
        assert other.what == start("b")


async def test_blocks_that_a_turn_left_unfinished_are_forgotten_and_their_text_is_saved():
    async with scene() as it, it.recorder() as recorder:
        recorder.offer(TurnStarted(turn="t", origin=Origin.SUBMISSION))
        recorder.offer(start("a", turn="t"))
        recorder.offer(start("other", turn="u"))
        recorder.offer(delta("half a sen", "a"))
        recorder.offer(delta("?", "never announced"))
        recorder.offer(TurnEnded(turn="t", outcome=Outcome.INTERRUPTED))
        await recorder.flush()
        assert [event.what for event in recorder.snapshot()] == [start("other", turn="u")]
        await it.clock.advance(1.1)
        assert await it.store.partials("s") == {"a": "half a sen", "never announced": "?"}


async def test_deltas_of_a_block_that_was_never_announced_stand_behind_the_last_event():
    async with scene() as it, it.watching(), it.recorder() as recorder:
        for what in (note(), delta(), delta(), end(), note()):
            recorder.offer(what)
        await recorder.flush()
    assert places(it.seen) == [(1, 0), (1, 1), (1, 2), (2, 0), (3, 0)]


async def test_leaving_stores_what_was_offered_and_the_text_so_far():
    async with scene() as it:
        async with it.recorder() as recorder:
            recorder.offer(start())
            recorder.offer(delta("half"))
        assert await it.stored() == [(1, start())]
        assert await it.store.partials("s") == {"b": "half"}


async def test_a_recorder_that_is_cancelled_stores_what_was_offered():
    async with scene() as it:
        with anyio.CancelScope() as scope:
            async with it.recorder() as recorder:
                await anyio.wait_all_tasks_blocked()
                recorder.offer(note())
                scope.cancel()
                await anyio.lowlevel.checkpoint()
        assert scope.cancelled_caught
        assert await it.stored() == [(1, note())]


@pytest.mark.parametrize("anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})], ids=["trio"])
async def test_a_store_that_does_not_recover_holds_up_the_end_for_five_seconds_at_most():
    async with scene() as it:
        began = anyio.current_time()
        async with it.recorder() as recorder:
            it.store.fails = 10**6
            recorder.offer(note())
        assert anyio.current_time() - began == pytest.approx(5)
        with pytest.raises(StoreError):
            await recorder.flush()


async def test_what_is_raised_beside_a_recorder_comes_out_as_it_is():
    error = ProviderError(Fault(whose=Whose.AGENT, code="x", message="x"))
    async with scene() as it:
        with pytest.raises(ProviderError, check=lambda caught: caught is error):
            await offer_and_raise(it, error)
        assert await it.stored() == [(1, note())]


async def offer_and_raise(it, error):
    async with it.recorder() as recorder:
        recorder.offer(note())
        raise error


async def test_another_recorder_of_the_same_session_makes_this_one_fail_and_stores_nothing_twice():
    async with scene() as it, it.recorder() as first, it.recorder() as second:
        first.offer(note("first"))
        await first.flush()
        second.offer(note("second"))
        await anyio.wait_all_tasks_blocked()
        assert "another relay" in str(second.failing)
        assert await it.stored() == [(1, note("first"))]
        second.stop()


async def test_cursors_of_several_recorders_are_shown_in_order():
    async with scene() as it, it.watching(), it.recorder("s") as one, it.recorder("t") as two:
        for number in range(300):
            (one, two)[number % 2].offer(note())
            await anyio.lowlevel.checkpoint()
    cursors = [event.cursor for event in it.seen]
    assert cursors == list(range(1, 301))


BLOCKS = st.sampled_from(["a", "b", "c"])
MOVES = st.one_of(
    st.builds(start, BLOCKS),
    st.builds(lambda block: end(block, f"the end of {block}"), BLOCKS),
    st.builds(delta, st.text(max_size=5), BLOCKS),
    st.builds(delta, st.text(max_size=5), BLOCKS),
    st.just(note()),
    st.sampled_from(["rest", "flush", "fail", "second"]),
)


@given(moves=st.lists(MOVES, max_size=60), limit=st.sampled_from([0, 2000, 10**6]))
@settings(max_examples=60, deadline=None)
def test_however_it_goes_numbers_have_no_holes_and_no_text_and_no_end_is_lost(moves, limit):
    offered = [move for move in moves if not isinstance(move, str)]
    seen, stored = anyio.run(play, moves, limit, backend="trio")
    durable = [what for what in offered if not isinstance(what, BlockDelta)]
    assert stored == list(enumerate(durable, 1))
    assert [(event.number, event.what) for event in seen if not event.part] == stored
    assert texts(event.what for event in seen) == texts(offered)
    check_parts(seen)


async def play(moves, limit):
    async with scene(limit) as it:
        async with it.watching(), it.recorder() as recorder:
            for move in moves:
                await step(it, recorder, move)
            it.store.fails = 0
            await it.clock.advance(60)
            await recorder.flush()
        return it.seen, await it.stored()


async def step(it, recorder, move):
    match move:
        case "rest":
            await anyio.wait_all_tasks_blocked()
        case "flush":
            it.store.fails = 0
            await it.clock.advance(60)
            await recorder.flush()
        case "fail":
            it.store.fails = 2
        case "second":
            await it.clock.advance(1.0)
        case _:
            recorder.offer(move)


def texts(occurrences):
    """Return each block's text, life by life: what its deltas say between its starts and ends."""
    lives = {}
    for what in occurrences:
        if isinstance(what, (BlockStarted, BlockEnded)):
            lives.setdefault(what.block.id, []).append("")
        elif isinstance(what, BlockDelta):
            told = lives.setdefault(what.block, [""])
            told[-1] += what.text
    return lives


def check_parts(seen):
    """Check that parts of a block count up by one, and stand between its start and its end."""
    parts = {}
    for event in seen:
        if isinstance(event.what, (BlockStarted, BlockEnded)):
            parts[event.what.block.id] = 0
        elif isinstance(event.what, BlockDelta):
            parts[event.what.block] = parts.get(event.what.block, 0) + 1
            assert event.part == parts[event.what.block]
