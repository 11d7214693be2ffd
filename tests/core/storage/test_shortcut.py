"""Brief operations: run by the event loop where there is nothing to wait for, and by the thread elsewhere."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from relaykit.errors import RefusedError, StoreBusyError, StoreError
from relaykit.storage import checkpoint, shortcut
from relaykit.storage.audience import Audience, told
from relaykit.storage.connect import Schema
from relaykit.storage.database import Database
from relaykit.storage.writer import Writer, open_writer

pytestmark = pytest.mark.anyio

Connection = sqlite3.Connection
Store = Writer[Connection]
SCHEMA = Schema("notes", ("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE);",))
SECONDS = 20.0


@pytest.fixture(autouse=True)
def _quick_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortcut, "SLOW_SECONDS", SECONDS)


@asynccontextmanager
async def opened(path: Path, *, rings: list[Audience] | None = None, busy_seconds: float = 5.0) -> AsyncIterator[Store]:
    def made() -> Database[Connection]:
        return Database(path, SCHEMA, lambda connection: connection, busy_seconds=busy_seconds)

    def ring(_: Connection, audience: Audience) -> None:
        if rings is not None:
            rings.append(audience)

    with anyio.fail_after(SECONDS):
        async with open_writer("notes", made, ring) as store:
            yield store


def add(connection: Connection, text: str) -> bool:
    """Write, and say whether it was the event loop that did."""
    connection.execute("INSERT INTO note (text) VALUES (?)", (text,))
    return in_loop()


def in_loop() -> bool:
    return threading.current_thread() is threading.main_thread()


@told(Audience.NOBODY)
def texts(connection: Connection) -> list[str]:
    return [text for (text,) in connection.execute("SELECT text FROM note ORDER BY id")]


@told(Audience.OTHERS)
def mark(connection: Connection) -> None:
    connection.execute("INSERT INTO note (text) VALUES ('mark')")


def refuse(_: Connection) -> None:
    raise RefusedError("no")


def write_then_break(connection: Connection) -> None:
    add(connection, "never")
    raise ZeroDivisionError


def write_then_interrupt(connection: Connection) -> None:
    add(connection, "never")
    raise KeyboardInterrupt


async def round_the_loop() -> None:
    await anyio.lowlevel.checkpoint()
    await anyio.lowlevel.checkpoint()


async def test_who_asks_alone_is_served_by_the_loop_and_what_it_wrote_stays(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    async with opened(path) as store:
        assert await store.run_brief(add, "one")
        assert not await store.run(add, "two"), "an operation that is not brief was run in the loop"
        assert await store.run_brief(add, "three")
        with closing(sqlite3.connect(path)) as other:
            assert texts(other) == ["one", "two", "three"]


async def test_what_an_operation_raises_is_the_callers_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    async with opened(tmp_path / "notes.db") as store:
        with pytest.raises(RefusedError):
            await store.run_brief(refuse)
        with pytest.raises(ZeroDivisionError):
            await store.run_brief(write_then_break)
        await store.run_brief(add, "one")
        with pytest.raises(StoreError, match="UNIQUE"):
            await store.run_brief(add, "one")
        assert await store.run_brief(texts) == ["one"]


async def test_an_interrupt_in_the_middle_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    async with opened(tmp_path / "notes.db") as store:
        with pytest.raises(KeyboardInterrupt):
            await store.run_brief(write_then_interrupt)
        assert await store.run_brief(add, "one")
        assert await store.run(texts) == ["one"]


async def test_a_caller_that_is_cancelled_before_it_asks_writes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path / "notes.db") as store:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await store.run_brief(add, "never")
        assert await store.run_brief(texts) == []


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path / "notes.db") as store:
        pass
    with pytest.raises(StoreError, match="closed"):
        await store.run_brief(texts)


async def test_whoever_has_to_look_is_told_at_once_and_who_merely_watches_after_the_caller(tmp_path: Path) -> None:
    rings: list[Audience] = []
    async with opened(tmp_path / "notes.db", rings=rings) as store:
        await store.run_brief(texts)
        assert rings == []
        await store.run_brief(add, "one")
        assert rings == [Audience.ALL]
        await store.run_brief(mark)
        assert rings == [Audience.ALL]
        await round_the_loop()
        assert rings == [Audience.ALL, Audience.OTHERS]


async def test_who_merely_watches_is_told_also_where_the_store_is_closed_at_once(tmp_path: Path) -> None:
    rings: list[Audience] = []
    async with opened(tmp_path / "notes.db", rings=rings) as store:
        await store.run_brief(mark)
    assert rings == [Audience.OTHERS]


async def test_while_another_process_holds_the_file_the_thread_waits_and_the_loop_does_not(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    served: list[bool] = []

    async def ask(store: Store) -> None:
        served.append(await store.run_brief(add, "one"))

    async with opened(path) as store, anyio.create_task_group() as tasks:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            tasks.start_soon(ask, store, name="asks")
            await round_the_loop()
            assert served == []
            other.execute("COMMIT")
    assert served == [False]


async def test_it_is_busy_where_the_file_is_held_for_too_long_and_works_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    async with opened(path, busy_seconds=0.05) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await store.run_brief(texts) == [], "who reads waits for nobody who writes"
            with pytest.raises(StoreBusyError, match="try again"):
                await store.run_brief(add, "one")
        assert await store.run_brief(add, "two")


async def test_of_many_that_ask_at_once_all_but_the_first_few_share_a_transaction(tmp_path: Path) -> None:
    rings: list[Audience] = []
    served: list[bool] = []

    async def ask(store: Store, number: int) -> None:
        served.append(await store.run_brief(add, str(number)))

    async with opened(tmp_path / "notes.db", rings=rings) as store:
        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(ask, store, number, name=f"caller {number}")
        assert len(await store.run(texts)) == 100
    assert served.count(True) == shortcut.IN_A_ROW
    # The first that finds the loop's share used up goes to the thread alone, the others gather meanwhile.
    assert len(rings) <= shortcut.IN_A_ROW + 2


async def test_one_that_asks_on_and_on_leaves_the_others_their_turn(tmp_path: Path) -> None:
    asked = 0

    async def ask(store: Store) -> None:
        nonlocal asked
        while True:
            await store.run_brief(texts)
            asked += 1

    async with opened(tmp_path / "notes.db") as store, anyio.create_task_group() as tasks:
        tasks.start_soon(ask, store, name="asks")
        for _ in range(10):
            before = asked
            await anyio.lowlevel.checkpoint()
            assert asked - before <= shortcut.IN_A_ROW + 1
        tasks.cancel_scope.cancel()


async def test_after_one_that_took_long_the_thread_serves_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortcut, "WARY", 5)
    async with opened(tmp_path / "notes.db") as store:
        monkeypatch.setattr(shortcut, "SLOW_SECONDS", 0.0)
        assert await store.run_brief(add, "slow")
        monkeypatch.setattr(shortcut, "SLOW_SECONDS", SECONDS)
        assert [await store.run_brief(add, str(number)) for number in range(6)] == [False] * 5 + [True]


async def test_the_loop_begins_no_log_anew_for_that_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "notes.db"
    moved = threading.Event()
    move = checkpoint._checkpoint

    def move_and_tell(connection: Connection) -> None:
        move(connection)
        moved.set()

    monkeypatch.setattr(checkpoint, "_EVERY", 50)
    monkeypatch.setattr(checkpoint, "_checkpoint", move_and_tell)
    served: list[bool] = []
    began: list[bool] = []
    async with opened(path) as store:
        while len(began) < 3:  # a checkpoint that is overtaken by a write is none after which it is begun anew
            before = log_salts(path)
            served.append(await store.run_brief(add, str(len(served))))
            if log_salts(path) != before:
                began.append(served[-1])
            if served[-2:] == [True, False]:
                await anyio.to_thread.run_sync(moved.wait, SECONDS)
                moved.clear()
            await round_the_loop()
    assert served[:51] == [True] * 50 + [False]
    assert served.count(True) > 60, "the loop never came back to it"
    assert not any(began)


def log_salts(path: Path) -> bytes:
    """Return what is another number in each log that is begun anew: the salts in its head."""
    with path.with_name(f"{path.name}-wal").open("rb") as log:
        return log.read(24)[16:]
