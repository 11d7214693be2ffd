import asyncio
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from relaykit.model import BlockDelta, BlockEnded, BlockStarted, Event, Gap, ProviderNote, SessionRecord
from relaykit.relay.events.fanout import Fanout, feed
from relaykit.relay.events.recorder import open_recorder
from relaykit.testing.clock import VirtualClock
from relaykit.testing.memory_sessions import memory_sessions
from relaykit.testing.occurrences import text_block

pytestmark = pytest.mark.anyio
SECONDS = 10


class Scene:
    """A fan-out over a real store in memory, and recorders that publish to it."""

    def __init__(self, store, **limits):
        self.store = store
        self.fanout = Fanout(store, **limits)

    @asynccontextmanager
    async def recorder(self, session="s"):
        record = await self.store.begin(
            SessionRecord(id=session, agent=session.upper(), provider="p", cwd="/", started_at=0)
        )
        async with open_recorder(record, store=self.store, fanout=self.fanout, clock=VirtualClock()) as recorder:
            yield recorder

    async def notes(self, recorder, *names):
        for name in names:
            recorder.offer(ProviderNote(name=name))
        await recorder.flush()


@asynccontextmanager
async def scene(**limits):
    with memory_sessions() as store, anyio.fail_after(SECONDS):
        yield Scene(store, **limits)


@asynccontextmanager
async def two_agents(**limits):
    async with scene(**limits) as it, it.recorder("s") as one, it.recorder("t") as two:
        yield it, one, two


def start(block="b"):
    return BlockStarted(block=text_block(block))


def end(block="b", text=""):
    return BlockEnded(block=text_block(block, text))


def delta(text="x", block="b"):
    return BlockDelta(block=block, text=text)


async def rest(items):
    """Return what a subscription still has, after the fan-out was closed."""
    return [item async for item in items]


def names(items):
    return [item.what.name for item in items]


@pytest.mark.parity("SR-11")
async def test_everyone_gets_every_event_of_the_agent_that_they_watch():
    async with two_agents() as (it, one, two), it.fanout.subscribe() as every, it.fanout.subscribe(agent="T") as t_only:
        await it.notes(one, "s1")
        await it.notes(two, "t1")
        await it.notes(one, "s2")
        it.fanout.close()
        assert names(await rest(every)) == ["s1", "t1", "s2"]
        assert names(await rest(t_only)) == ["t1"]


async def test_a_subscription_that_waits_is_given_what_comes_and_ends_when_the_fanout_closes():
    async def watch():
        async with it.fanout.subscribe() as items:
            ready.set()
            seen.extend(await rest(items))

    seen = []
    ready = anyio.Event()
    async with scene() as it, it.recorder() as recorder, anyio.create_task_group() as tasks:
        tasks.start_soon(watch, name="watcher")
        await ready.wait()
        await anyio.wait_all_tasks_blocked()
        await it.notes(recorder, "one")
        await anyio.wait_all_tasks_blocked()
        assert names(seen) == []
        it.fanout.close()
    assert names(seen) == ["one"]


async def test_who_comes_after_the_end_is_told_what_is_stored_and_that_it_is_over():
    async with scene() as it, it.recorder() as recorder:
        await it.notes(recorder, "one")
        it.fanout.close()
        async with it.fanout.subscribe(after=0) as items:
            assert names(await rest(items)) == ["one"]


async def test_who_left_is_given_nothing_more():
    async with scene() as it, it.recorder() as recorder:
        async with it.fanout.subscribe() as items:
            pass
        await it.notes(recorder, "late")
        it.fanout.close()
        with anyio.move_on_after(0):
            assert await rest(items) == []


@pytest.mark.parity("N-9", "SR-11")
async def test_a_stalled_subscriber_gets_a_gap_and_can_read_what_it_missed_while_another_misses_nothing():
    async def follow(items):
        fast.extend([item async for item in items])

    fast = []
    async with scene(max_events=50) as it, it.recorder() as recorder:
        async with it.fanout.subscribe() as stalled, it.fanout.subscribe() as quick, anyio.create_task_group() as tasks:
            tasks.start_soon(follow, quick, name="fast one")
            await it.notes(recorder, "first")
            first = await anext(stalled)
            for number in range(200):
                await it.notes(recorder, str(number))
                await anyio.lowlevel.checkpoint()
            it.fanout.close()
            gap, *others = await rest(stalled)
        assert names(fast) == ["first", *(str(number) for number in range(200))]
        assert isinstance(gap, Gap)
        assert (gap.agent, gap.after, gap.missed) == ("S", first.cursor, 200 - len(others))
        assert 1 <= len(others) <= 50
        assert gap.before == others[0].cursor
        missed = [event for event in await it.store.events(after=gap.after) if event.cursor < gap.before]
        assert [*names(missed), *names(others)] == [str(number) for number in range(200)]


async def test_each_agent_of_which_something_was_missed_has_a_gap_of_its_own():
    async with two_agents(max_events=4) as (it, one, two), it.fanout.subscribe() as items:
        for _ in range(3):
            await it.notes(one, "s")
        await it.notes(two, "t", "t")
        it.fanout.close()
        assert await anext(items) == Gap(agent="S", after=0, before=5, missed=3)
        assert await anext(items) == Gap(agent="T", after=0, before=5, missed=1)
        assert names(await rest(items)) == ["t"]


async def test_too_many_deltas_are_merged_and_nothing_is_missed():
    async with scene(max_events=8) as it, it.recorder() as recorder, it.fanout.subscribe() as items:
        recorder.offer(start())
        for number in range(500):
            recorder.offer(delta(f"{number} "))
        await recorder.flush()
        it.fanout.close()
        begun, *deltas = await rest(items)
    assert begun.what == start()
    assert len(deltas) <= 8
    assert "".join(event.what.text for event in deltas) == "".join(f"{number} " for number in range(500))
    assert [event.part for event in deltas] == sorted({event.part for event in deltas})
    assert deltas[-1].part == 500


async def test_deltas_whose_block_has_ended_make_room_for_the_rest():
    async with scene(max_events=8) as it, it.recorder() as recorder, it.fanout.subscribe() as items:
        for block in range(3):
            for what in (start(f"b{block}"), delta("x", f"b{block}"), end(f"b{block}", "x")):
                recorder.offer(what)
        await recorder.flush()
        it.fanout.close()
        seen = await rest(items)
    assert [item.number for item in seen if not item.part] == [1, 2, 3, 4, 5, 6]
    assert [item.what.block for item in seen if item.part] == ["b2"]


async def test_large_events_fill_a_queue_by_their_bytes():
    async with scene(max_bytes=100_000) as it, it.recorder() as recorder, it.fanout.subscribe() as items:
        for number in range(20):
            recorder.offer(end(f"b{number}", "x" * 20_000))
        await recorder.flush()
        it.fanout.close()
        gap, *others = await rest(items)
    assert isinstance(gap, Gap)
    assert gap.missed + len(others) == 20
    assert len(others) <= 5


async def test_an_event_larger_than_the_queue_is_given_all_the_same():
    async with scene(max_bytes=1000) as it, it.recorder() as recorder, it.fanout.subscribe() as items:
        recorder.offer(end("b", "x" * 20_000))
        await recorder.flush()
        it.fanout.close()
        assert [item.what for item in await rest(items)] == [end("b", "x" * 20_000)]


async def test_events_that_are_not_stored_are_given_too():
    async with scene() as it, it.fanout.subscribe() as items:
        event = Event(agent="a", session="", number=0, at=0.0, what=ProviderNote(name="n"))
        it.fanout.publish([event])
        it.fanout.close()
        assert await rest(items) == [event]


async def test_a_late_joiner_is_told_the_text_so_far_and_then_what_follows():
    async with scene() as it, it.recorder() as recorder:
        for what in (start("a"), delta("one ", "a"), delta("two ", "a"), start("b"), end("b")):
            recorder.offer(what)
        await recorder.flush()
        async with it.fanout.subscribe() as items:
            recorder.offer(delta("three", "a"))
            recorder.offer(end("a", "one two three"))
            await recorder.flush()
            it.fanout.close()
            seen = [(item.number, item.part, item.what) for item in await rest(items)]
    assert seen == [
        (1, 0, start("a")),
        (1, 2, delta("one two ", "a")),
        (1, 3, delta("three", "a")),
        (4, 0, end("a", "one two three")),
    ]


@pytest.mark.parity("N-9")
async def test_who_comes_back_with_a_cursor_is_told_what_it_missed_the_text_so_far_and_what_follows():
    async with scene() as it, it.recorder() as recorder:
        await it.notes(recorder, "known", "missed")
        for what in (start("a"), delta("one ", "a")):
            recorder.offer(what)
        await recorder.flush()
        async with it.fanout.subscribe(after=1) as items:
            recorder.offer(delta("two", "a"))
            await it.notes(recorder, "new")
            it.fanout.close()
            seen = [(item.number, item.part) for item in await rest(items)]
    assert seen == [(2, 0), (3, 0), (3, 1), (3, 2), (4, 0)]


async def test_a_long_replay_comes_in_pages_and_only_of_the_agent_that_was_asked_for():
    async with scene() as it, it.recorder("s") as one, it.recorder("t") as two:
        await it.notes(one, *(str(number) for number in range(1203)))
        await it.notes(two, "other")
        async with it.fanout.subscribe(agent="S", after=0) as items:
            await it.notes(one, "live")
            it.fanout.close()
            assert names(await rest(items)) == [*(str(number) for number in range(1203)), "live"]


class SlowToReturn:
    """A real store in memory that has stored events a while before it says so."""

    def __init__(self, store):
        self._store = store
        self.open = anyio.Event()

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def append(self, events, partials=()):
        cursors = await self._store.append(events, partials)
        await self.open.wait()
        return cursors


@pytest.mark.parametrize("after", [None, 0])
async def test_who_comes_while_events_are_stored_is_told_each_at_most_once(after):
    async def watch():
        async with it.fanout.subscribe(after=after) as items:
            subscribed.set()
            seen.extend(await rest(items))

    seen = []
    subscribed = anyio.Event()
    async with scene() as quick:
        it = Scene(SlowToReturn(quick.store))
        async with anyio.create_task_group() as tasks, it.recorder() as recorder:
            recorder.offer(ProviderNote(name="n"))
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(watch, name="watcher")
            await anyio.wait_all_tasks_blocked()
            it.store.open.set()
            await subscribed.wait()
            await it.notes(recorder, "later")
            it.fanout.close()
    assert names(seen) == (["later"] if after is None else ["n", "later"])


async def test_who_keeps_up_misses_nothing_however_much_it_is():
    async with scene(max_bytes=10_000) as it, it.recorder() as recorder, it.fanout.subscribe() as items:
        for number in range(100):
            await it.notes(recorder, str(number))
            assert names([await anext(items)]) == [str(number)]


@given(
    before=st.lists(st.sampled_from(["note", "start", "delta", "end"]), max_size=12),
    during=st.lists(st.sampled_from(["note", "start", "delta", "end", "read", "store"]), max_size=20),
    after=st.one_of(st.none(), st.integers(0, 12)),
)
@settings(max_examples=100, deadline=None)
def test_nothing_is_lost_or_told_twice_where_the_replay_meets_what_is_new(before, during, after):
    seen, stored, known = anyio.run(join, before, during, after, backend="trio")
    new = [event for event in seen if not event.part and event.cursor > known]
    assert [event.cursor for event in new] == [cursor for cursor in stored if cursor > known]
    told = {}
    for event in seen:
        if isinstance(event.what, BlockDelta):
            told[event.what.block] = told.get(event.what.block, "") + event.what.text
    whole = {event.what.block.id: event.what.block.text for event in new if isinstance(event.what, BlockEnded)}
    assert all(text == whole.get(block, text) for block, text in told.items())


async def join(before, during, after):
    """Play moves before and after someone subscribes; return what it saw, what is stored, and what it knew."""
    texts = [""]
    async with scene() as it, it.recorder() as recorder:
        for move in before:
            play(recorder, move, texts)
        await recorder.flush()
        known = min(after or 0, await it.store.last_cursor()) if after is not None else await it.store.last_cursor()
        seen = []
        async with it.fanout.subscribe(after=None if after is None else known) as items:
            for move in during:
                if move == "read":
                    with anyio.move_on_after(0.001):
                        seen.append(await anext(items))
                elif move == "store":
                    await recorder.flush()
                else:
                    play(recorder, move, texts)
            await recorder.flush()
            it.fanout.close()
            seen.extend(await rest(items))
        return seen, [event.cursor for event in await it.store.events()], known


def play(recorder, move, texts):
    """Offer one move; a block that ended is followed by another one."""
    block = f"b{len(texts)}"
    match move:
        case "note":
            recorder.offer(ProviderNote(name="n"))
        case "start" if not texts[-1]:
            recorder.offer(start(block))
        case "delta":
            texts[-1] += str(len(texts[-1]))
            recorder.offer(delta(texts[-1][-1], block))
        case "end":
            recorder.offer(end(block, texts[-1]))
            texts.append("")


class ListSink:
    def __init__(self, fails_at=None):
        self.told = []
        self.fails_at = fails_at
        self.closed = False

    async def tell(self, item):
        if len(self.told) == self.fails_at:
            raise ValueError("no")
        self.told.append(item)

    @asynccontextmanager
    async def opened(self):
        try:
            yield self
        finally:
            self.closed = True


async def test_a_sink_that_raises_is_closed_and_reported_and_the_others_go_on():
    good, bad = ListSink(), ListSink(fails_at=1)
    failures = []
    async with scene() as it, it.recorder() as recorder, anyio.create_task_group() as tasks:
        for name, sink in (("good", good), ("bad", bad)):
            await tasks.start(feed, it.fanout, name, sink.opened(), lambda *failure: failures.append(failure))
        await it.notes(recorder, "one", "two", "three")
        await anyio.wait_all_tasks_blocked()
        assert bad.closed
        assert not good.closed
        await it.notes(recorder, "four")
        it.fanout.close()
    assert names(good.told) == ["one", "two", "three", "four"]
    assert good.closed
    assert names(bad.told) == ["one"]
    ((name, error),) = failures
    assert (name, type(error)) == ("bad", ValueError)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # only there can anyone be cancelled without a scope
async def test_a_sink_that_lets_a_cancellation_out_that_nobody_ordered_is_closed_like_one_that_raises():
    class Cancelled(ListSink):
        async def tell(self, item):
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

    sink, failures = Cancelled(), []
    async with scene() as it, it.recorder() as recorder, anyio.create_task_group() as tasks:
        await tasks.start(feed, it.fanout, "bad", sink.opened(), lambda *failure: failures.append(failure))
        await it.notes(recorder, "one")
        await anyio.wait_all_tasks_blocked()
        assert sink.closed
        it.fanout.close()
    ((name, error),) = failures
    assert (name, type(error)) == ("bad", RuntimeError)


async def test_a_sink_that_cannot_be_opened_says_so_to_whoever_starts_it():
    @asynccontextmanager
    async def broken():
        raise ValueError("no")
        yield

    failures = []
    async with scene() as it, anyio.create_task_group() as tasks:
        with pytest.raises(ValueError, match="no"):
            await tasks.start(feed, it.fanout, "broken", broken(), lambda *failure: failures.append(failure))
    assert failures == []


@pytest.mark.parity("N-9")
async def test_a_sink_that_never_returns_holds_up_nobody():
    class Stuck(ListSink):
        async def tell(self, item):
            await anyio.sleep_forever()

    async with scene(max_events=10) as it, it.recorder() as recorder, anyio.create_task_group() as tasks:
        stuck = Stuck()
        await tasks.start(feed, it.fanout, "stuck", stuck.opened(), lambda *_: None)
        for number in range(100):
            await it.notes(recorder, str(number))
        tasks.cancel_scope.cancel()
    assert stuck.closed


async def test_finishing_waits_for_sinks_to_take_what_waits():
    class Slow(ListSink):
        async def tell(self, item):
            for _ in range(10):
                await anyio.lowlevel.checkpoint()
            await super().tell(item)

    slow = Slow()
    async with scene() as it, it.recorder() as recorder, anyio.create_task_group() as tasks:
        await tasks.start(feed, it.fanout, "slow", slow.opened(), lambda *_: None)
        await it.notes(recorder, "one", "two", "three")
        await it.fanout.finish()
        assert slow.closed
    assert names(slow.told) == ["one", "two", "three"]


@pytest.mark.parametrize("anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})], ids=["trio"])
async def test_finishing_does_not_wait_for_ever():
    class Stuck(ListSink):
        async def tell(self, item):
            await anyio.sleep_forever()

    async with scene() as it, it.recorder() as recorder, anyio.create_task_group() as tasks:
        await tasks.start(feed, it.fanout, "stuck", Stuck().opened(), lambda *_: None)
        await it.notes(recorder, "one")
        began = anyio.current_time()
        await it.fanout.finish()
        assert anyio.current_time() - began == pytest.approx(2)
        tasks.cancel_scope.cancel()
