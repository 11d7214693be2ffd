import json
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from relaykit.errors import StoreBusyError, StoreError, StoreFullError, StoreVersionError
from relaykit.model import ProviderNote
from relaykit.relay.events.fanout import Fanout
from relaykit.relay.events.recorder import open_recorder
from relaykit.sessions import operations
from relaykit.sessions.door import open_door
from relaykit.sessions.schema import open_database
from relaykit.sessions.store import SqliteSessionStore, open_sessions_file
from relaykit.storage.inline import Inline
from relaykit.testing.clock import VirtualClock
from relaykit.testing.sessions import ended, numbers, record

pytestmark = pytest.mark.anyio
SECONDS = 20


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sessions.db"


async def test_the_file_is_its_owners_alone(tmp_path):
    with anyio.fail_after(SECONDS):
        async with open_sessions_file(tmp_path / "home" / "sessions.db") as store:
            await store.begin(record())
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "home" / "sessions.db").stat().st_mode) == 0o600


async def test_a_damaged_file_is_refused_and_left_as_it_is(path):
    with anyio.fail_after(SECONDS):
        async with open_sessions_file(path) as store:
            await store.begin(record())
            await store.append([ended(number, text="x" * 1000) for number in range(1, 200)])
    damaged = bytearray(path.read_bytes())
    damaged[8192:16384] = os.urandom(8192)
    path.write_bytes(damaged)
    with anyio.fail_after(SECONDS), pytest.raises(StoreError, match="damaged"):
        async with open_sessions_file(path):
            pass
    assert path.read_bytes() == damaged


async def test_a_file_of_a_newer_relaykit_is_left_alone(path):
    with closing(open_database(path)) as database:
        database.connection.execute("PRAGMA user_version = 99")
    with anyio.fail_after(SECONDS), pytest.raises(StoreVersionError):
        async with open_sessions_file(path):
            pass


async def test_a_file_that_another_process_holds_is_busy_and_nothing_is_written(path):
    with anyio.fail_after(SECONDS):
        async with open_sessions_file(path, busy_seconds=0.01) as store:
            await store.begin(record())
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(StoreBusyError):
                    await store.append([ended(1)])
            await store.append([ended(1)])
            assert numbers(await store.events()) == [1]


async def test_a_recorder_waits_for_a_file_that_another_process_holds(path):
    with anyio.fail_after(SECONDS):
        async with open_sessions_file(path, busy_seconds=0.01) as store:
            begun = await store.begin(record())
            failing, clock = anyio.Event(), VirtualClock()
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                async with open_recorder(
                    begun, store=store, fanout=Fanout(store), clock=clock, notify=lambda _: failing.set()
                ) as recorder:
                    recorder.offer(ProviderNote(name="kept"))
                    await failing.wait()
                    assert isinstance(recorder.failing, StoreBusyError)
                    other.execute("ROLLBACK")
                    await clock.advance(0.1)
                    await recorder.flush()
                    assert recorder.failing is None
            assert [event.what for event in await store.events()] == [ProviderNote(name="kept")]


async def test_a_full_disk_keeps_nothing_of_a_batch_and_what_was_there_before(path):
    with closing(open_database(path)) as database, anyio.fail_after(SECONDS):
        store = SqliteSessionStore(Inline(database, lambda *_: None))
        await store.begin(record())
        await store.append([ended(1)])
        pages = database.connection.execute("PRAGMA page_count").fetchone()[0]
        database.connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreFullError):
            await store.append([ended(number, text="x" * 10_000) for number in range(2, 10)], [("s", "b", "x")])
        database.connection.execute("PRAGMA max_page_count = 100000")
        assert numbers(await store.events()) == [1]
        assert await store.partials("s") == {}
        await store.append([ended(2)])


async def test_a_sweep_gives_the_space_back(path):
    with anyio.fail_after(SECONDS):
        async with open_sessions_file(path) as store:
            await store.begin(record())
            for first in range(1, 1001, 100):
                await store.append([ended(number, text="x" * 5000) for number in range(first, first + 100)])
        large = path.stat().st_size
        async with open_sessions_file(path) as store:
            while await store.sweep(before=100.0, max_bytes=0):
                pass
    assert large > 5_000_000
    assert path.stat().st_size < large / 20


async def test_two_relays_share_a_file(path):
    with anyio.fail_after(SECONDS):
        async with open_sessions_file(path) as one, open_sessions_file(path) as two:
            await one.begin(record("s"))
            await two.begin(record("t", "b"))
            await one.append([ended(1)])
            await two.append([ended(1, session="t", agent="b")])
            assert await one.events() == await two.events()
            with pytest.raises(StoreError, match="another relay"):
                await two.append([ended(1)])


async def test_events_of_kinds_that_only_a_newer_relaykit_knows_come_as_notes(path):
    with closing(open_database(path)) as database, anyio.fail_after(SECONDS):
        store = SqliteSessionStore(Inline(database, lambda *_: None))
        await store.begin(record())
        await store.append([ended(1)])
        database.connection.execute("UPDATE events SET kind = 'plan', data = ?", (json.dumps({"steps": [1]}),))
        (event,) = await store.events()
    assert event.what == ProviderNote(name="plan", data={"steps": [1]})


@pytest.mark.parametrize("odd", ['{"block":{"id":7}}', '{"block":{"id":"b","kind":"hologram"}}', '{"block":1e400}'])
async def test_an_event_whose_values_are_not_of_its_kind_comes_as_a_note_and_hides_no_other(path, odd):
    with closing(open_database(path)) as database, anyio.fail_after(SECONDS):
        store = SqliteSessionStore(Inline(database, lambda *_: None))
        await store.begin(record())
        await store.append([ended(1), ended(2)])
        database.connection.execute("UPDATE events SET data = ? WHERE number = 1", (odd,))
        one, two = await store.events()
    assert one.what == ProviderNote(name="block_ended", data=json.loads(odd))
    assert two.what == ended(2).what


def test_the_door_reads_without_an_event_loop_and_hears_what_a_relay_writes(path):
    async def write():
        with anyio.fail_after(SECONDS):
            async with open_sessions_file(path) as store:
                await store.begin(record())
                await store.append([ended(1)])

    with open_door(path.parent) as door, door.listen() as listener:
        assert door.run(operations.sessions, None) == []
        assert not listener.wait_for(0)
        anyio.run(write)
        assert listener.wait_for(SECONDS)
        assert numbers(door.run(operations.events, agent="a", session=None, after=0, limit=10)) == [1]


FOLLOWER = """
import sys
from pathlib import Path
from relaykit.sessions import operations
from relaykit.sessions.door import open_door

cursor = 0
with open_door(Path(sys.argv[1])) as door, door.listen() as bell:
    print("ready", flush=True)
    while cursor < 3:
        assert bell.wait_for(20)
        for event in door.run(operations.events, agent=None, session=None, after=cursor, limit=10):
            print(event.number, flush=True)
            cursor = event.cursor
"""


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_another_process_that_follows_is_woken_by_each_commit(path):
    with anyio.fail_after(SECONDS):
        async with await anyio.open_process([sys.executable, "-c", FOLLOWER, str(path.parent)]) as follower:
            said = BufferedByteReceiveStream(follower.stdout)
            assert await said.receive_until(b"\n", 100) == b"ready"
            async with open_sessions_file(path) as store:
                await store.begin(record())
                for number in (1, 2, 3):
                    await store.append([ended(number)])
                    assert await said.receive_until(b"\n", 100) == b"%d" % number
            assert await follower.wait() == 0


def test_registering_it_loads_nothing_heavy():
    code = "import sys, relaykit.sessions.hooks as hooks; hooks.relaykit_session_stores(); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=SECONDS)
    assert {"asyncio", "anyio", "sqlite3", "relaykit.storage"}.isdisjoint(run.stdout.split())
