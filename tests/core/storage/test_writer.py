from __future__ import annotations

import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import TaskGroup

from relaykit.errors import RefusedError, StoreBusyError, StoreError, StoreFullError
from relaykit.storage.audience import Audience, told
from relaykit.storage.connect import MEMORY, Schema
from relaykit.storage.database import Database
from relaykit.storage.executor import Executor
from relaykit.storage.inline import Inline
from relaykit.storage.writer import BATCH, open_writer

pytestmark = pytest.mark.anyio

SCHEMA = Schema("notes", ("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE);",))
SECONDS = 20.0

Connection = sqlite3.Connection
Store = Executor[Connection]
Rings = list[int]


def add(connection: Connection, text: str) -> int:
    connection.execute("INSERT INTO note (text) VALUES (?)", (text,))
    return connection.execute("SELECT count(*) FROM note").fetchone()[0]


def refuse(connection: Connection) -> None:
    raise RefusedError("no")


def write_then_refuse(connection: Connection) -> None:
    add(connection, "never")
    raise RefusedError("too late")


def write_then_break(connection: Connection) -> None:
    add(connection, "never")
    raise ZeroDivisionError


def texts(connection: Connection) -> list[str]:
    return [text for (text,) in connection.execute("SELECT text FROM note ORDER BY id")]


def synchronous(connection: Connection) -> int:
    return connection.execute("PRAGMA synchronous").fetchone()[0]


@asynccontextmanager
async def writer(path: Path, rings: Rings | None = None, busy_seconds: float = 5.0) -> AsyncIterator[Store]:
    with anyio.fail_after(SECONDS):
        made = lambda: Database(path, SCHEMA, lambda connection: connection, busy_seconds=busy_seconds)  # noqa: E731
        async with open_writer("notes", made, lambda *_: (rings if rings is not None else []).append(1)) as store:
            yield store


@asynccontextmanager
async def inline(path: Path, rings: Rings | None = None) -> AsyncIterator[Store]:
    with closing(Database(MEMORY, SCHEMA, lambda connection: connection)) as database:
        yield Inline(database, lambda *_: (rings if rings is not None else []).append(1))


@pytest.fixture(params=[writer, inline])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Store]]:
    return lambda **rest: request.param(tmp_path / "notes.db", **rest)


@contextmanager
def stopped(store: Store) -> Iterator[Callable[[TaskGroup], Awaitable[None]]]:
    """Hold the writer's thread in an operation, so that what is asked for meanwhile becomes one batch."""
    go, held = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        held.set()
        go.wait(SECONDS)

    async def held_up() -> None:
        await store.run(hold)

    async def hold_up(tasks: TaskGroup) -> None:
        tasks.start_soon(held_up, name="holder")
        await anyio.wait_all_tasks_blocked()
        assert held.wait(SECONDS)

    try:
        yield hold_up
    finally:
        go.set()


async def in_one_batch(store: Store, *operations: Callable[[Connection], object], synced: int = -1) -> list[object]:
    results: list[object] = [None] * len(operations)

    async def run(place: int) -> None:
        run = store.run_synced if place == synced else store.run
        try:
            results[place] = await run(operations[place])
        except Exception as error:  # noqa: BLE001 - what each caller gets is what is looked at
            results[place] = error

    async with anyio.create_task_group() as tasks:
        with stopped(store) as hold:
            await hold(tasks)
            for place in range(len(operations)):
                tasks.start_soon(run, place, name=f"caller {place}")
            await anyio.wait_all_tasks_blocked()
    return results


async def test_an_operation_returns_what_it_made_and_its_write_stays(
    opened: Callable[..., AbstractAsyncContextManager[Store]],
) -> None:
    async with opened() as store:
        assert await store.run(add, "one") == 1
        assert await store.run_synced(add, text="two") == 2
        assert await store.run(texts) == ["one", "two"]


async def test_nothing_of_an_operation_that_raises_is_kept(
    opened: Callable[..., AbstractAsyncContextManager[Store]],
) -> None:
    async with opened() as store:
        with pytest.raises(RefusedError):
            await store.run(write_then_refuse)
        with pytest.raises(ZeroDivisionError):
            await store.run(write_then_break)
        assert await store.run(texts) == []


async def test_what_the_database_refuses_names_the_file(
    opened: Callable[..., AbstractAsyncContextManager[Store]],
) -> None:
    async with opened() as store:
        await store.run(add, "one")
        with pytest.raises(StoreError, match=r"notes.db|:memory:"):
            await store.run(add, "one")


async def test_it_rings_for_what_changed_something_and_for_nothing_else(
    opened: Callable[..., AbstractAsyncContextManager[Store]],
) -> None:
    rings: Rings = []
    async with opened(rings=rings) as store:
        await store.run(texts)
        assert rings == []
        await store.run(add, "one")
        assert rings == [1]


async def test_a_caller_that_is_cancelled_before_it_asks_writes_nothing(
    opened: Callable[..., AbstractAsyncContextManager[Store]],
) -> None:
    async with opened() as store:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await store.run(add, "never")
        await store.run(add, "one")
        assert "one" in await store.run(texts)


async def test_one_batch_rings_once_and_everyone_gets_its_own_result(tmp_path: Path) -> None:
    rings: Rings = []
    async with writer(tmp_path / "notes.db", rings) as store:
        results = await in_one_batch(store, *[lambda tx, n=n: add(tx, str(n)) for n in range(BATCH // 2)])
        assert sorted(results) == list(range(1, BATCH // 2 + 1))
        assert len(rings) == 1


async def test_more_than_one_batch_takes_is_finished_too(tmp_path: Path) -> None:
    async with writer(tmp_path / "notes.db") as store:
        results = await in_one_batch(store, *[lambda tx, n=n: add(tx, str(n)) for n in range(BATCH * 2 + 3)])
        assert sorted(results) == list(range(1, BATCH * 2 + 4))


async def test_a_refusal_leaves_the_others_of_its_batch_alone(tmp_path: Path) -> None:
    ran: list[str] = []

    def counted(connection: Connection) -> int:
        ran.append("x")
        return add(connection, "one")

    async with writer(tmp_path / "notes.db") as store:
        one, refused, two = await in_one_batch(store, counted, refuse, lambda tx: add(tx, "two"))
        assert {one, two} == {1, 2}
        assert isinstance(refused, RefusedError)
        assert len(ran) == 1, "the batch was run again for a mere refusal"


@pytest.mark.parametrize("bad", [write_then_refuse, write_then_break, lambda tx: add(tx, "zero")])
async def test_only_the_operation_that_failed_after_it_wrote_fails(
    tmp_path: Path, bad: Callable[[Connection], object]
) -> None:
    async with writer(tmp_path / "notes.db") as store:
        await store.run(add, "zero")
        one, failed, two = await in_one_batch(store, lambda tx: add(tx, "one"), bad, lambda tx: add(tx, "two"))
        assert {one, two} == {2, 3}
        assert isinstance(failed, Exception)
        assert sorted(await store.run(texts)) == ["one", "two", "zero"]


async def test_a_batch_in_which_one_asks_for_it_is_synced(tmp_path: Path) -> None:
    async with writer(tmp_path / "notes.db") as store:
        assert await in_one_batch(store, synchronous, synchronous, synced=1) == [2, 2]
        assert await in_one_batch(store, synchronous, synchronous) == [1, 1]


async def test_who_is_cancelled_while_it_waits_writes_nothing(tmp_path: Path) -> None:
    async with writer(tmp_path / "notes.db") as store:
        async with anyio.create_task_group() as holder:
            with stopped(store) as hold:
                await hold(holder)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(store.run, add, "never", name="cancelled")
                    await anyio.wait_all_tasks_blocked()
                    tasks.cancel_scope.cancel()
        assert await store.run(texts) == []


async def test_closing_finishes_what_was_accepted(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    async with anyio.create_task_group() as tasks, writer(path) as store:
        with stopped(store) as hold:
            await hold(tasks)
            for number in range(100):
                tasks.start_soon(store.run, add, str(number), name=f"caller {number}")
            await anyio.wait_all_tasks_blocked()
    with closing(sqlite3.connect(path)) as connection:
        assert len(texts(connection)) == 100
    with pytest.raises(StoreError, match="closed"):
        await store.run(texts)


async def test_a_store_that_cannot_be_opened_says_so_to_who_opens_it(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match="damaged"):
        async with writer(tmp_path / "notes.db"):
            raise AssertionError("it was opened")


async def test_a_file_that_another_holds_is_busy_and_works_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    async with writer(path, busy_seconds=0.05) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusyError, match="try again"):
                await store.run(add, "one")
        assert await store.run(texts) == []
        assert await store.run(add, "one") == 1


async def test_only_what_finds_no_room_fails_on_a_full_disk(tmp_path: Path) -> None:
    async with writer(tmp_path / "notes.db") as store:
        await store.run(lambda tx: tx.execute("PRAGMA max_page_count = 20").fetchall())
        small, large, other = await in_one_batch(
            store, lambda tx: add(tx, "one"), lambda tx: add(tx, "x" * 200_000), lambda tx: add(tx, "two")
        )
        assert {small, other} == {1, 2}
        assert isinstance(large, StoreFullError)
        assert "no room" in str(large)
        assert sorted(await store.run(texts)) == ["one", "two"]


async def test_the_log_is_bounded_under_load(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    async with writer(path) as store:
        await store.run(lambda tx: tx.execute("CREATE TABLE large (text TEXT)"))
        for _ in range(400):
            await store.run(lambda tx: tx.executemany("INSERT INTO large VALUES (?)", [("x" * 4000,)] * 100))
        size = path.with_name("notes.db-wal").stat().st_size
    assert size < 60 * 2**20, f"{size} bytes of log for 160 MB of writes"


async def test_a_thread_that_dies_leaves_nobody_waiting(tmp_path: Path) -> None:
    def die(*_: object) -> None:
        raise ZeroDivisionError

    def made() -> Database[Connection]:
        return Database(tmp_path / "notes.db", SCHEMA, lambda connection: connection)

    with anyio.fail_after(SECONDS):
        async with open_writer("notes", made, die) as store:
            with pytest.raises(ZeroDivisionError):
                await store.run(add, "one")
            with pytest.raises(StoreError, match="closed"):
                await store.run(texts)


@told(Audience.NOBODY)
def read(connection: Connection) -> list[str]:
    return texts(connection)


@told(Audience.NOBODY)
def write_nothing(connection: Connection) -> None:
    connection.execute("DELETE FROM note WHERE text = 'nowhere'")


async def test_reading_waits_for_nobody_who_writes_and_keeps_nobody_from_it(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    async with writer(path, busy_seconds=0.05) as store:
        await store.run(add, "one")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await store.run(read) == ["one"]
            with pytest.raises(StoreBusyError):
                await store.run(texts)  # it does not say that it only reads
            other.execute("ROLLBACK")


async def test_what_says_that_it_only_reads_is_held_to_it_where_that_is_tested(tmp_path: Path) -> None:
    async with inline(tmp_path / "notes.db") as store:
        await store.run(add, "one")
        assert await store.run(read) == ["one"]
        with pytest.raises(StoreError, match="readonly"):
            await store.run(write_nothing)
        assert await store.run(add, "two")
