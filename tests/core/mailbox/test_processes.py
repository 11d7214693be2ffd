"""Several processes on one file, and processes that are killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import IO

import anyio
import pytest

from relaykit.builtin.routing import AddressRouter
from relaykit.errors import StoreBusyError, StoreError, StoreVersionError
from relaykit.mailbox import letters, reading
from relaykit.mailbox.door import open_door
from relaykit.mailbox.schema import FILE
from relaykit.mailbox.sqlite import SqliteMailbox, open_mailbox
from relaykit.model import USER, Draft

SECONDS = 30.0
PREPARE = """
import resource, signal, sys
from pathlib import Path
from relaykit.builtin.routing import AddressRouter
from relaykit.errors import RelaykitError
from relaykit.mailbox import letters
from relaykit.mailbox.door import open_door
from relaykit.model import Draft
home, name = Path(sys.argv[1]), sys.argv[2]
"""
PUT_FOR_EVER = """
with open_door(home, routers=[AddressRouter()]) as door:
    print("ready", flush=True)
    for number in range(int(sys.argv[3])):
        door.run(letters.put, Draft(sender=name, to="user", body="x" * 200, id=f"{name}-{number}"))
        print(f"{name}-{number}", flush=True)
"""
FILL_THE_DISK = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open_door(home, routers=[AddressRouter()]) as door:
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    for number in range(100):
        try:
            door.run(letters.put, Draft(sender=name, to="user", body="x" * 20_000, id=f"{name}-{number}"))
        except RelaykitError as error:
            print(type(error).__name__, flush=True)
            break
        print(f"{name}-{number}", flush=True)
"""


@contextmanager
def process(script: str, home: Path, name: str, *rest: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """A Python of its own that runs a script; it is killed if it is still there at the end."""
    argv = [sys.executable, "-c", PREPARE + textwrap.dedent(script), str(home), name, *rest]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield child, child.stdout
        finally:
            child.kill()
            child.wait(SECONDS)


@asynccontextmanager
async def opened(home: Path, busy_seconds: float = 5.0) -> AsyncIterator[SqliteMailbox]:
    with anyio.fail_after(SECONDS):
        async with open_mailbox(home / FILE, routers=[AddressRouter()], busy_seconds=busy_seconds) as mailbox:
            yield mailbox


def stored(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / FILE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [name for (name,) in connection.execute("SELECT id FROM message ORDER BY number")]


def test_two_processes_that_put_at_once_lose_and_mix_nothing(tmp_path: Path) -> None:
    with (
        process(PUT_FOR_EVER, tmp_path, "one", "200") as (_, one),
        process(PUT_FOR_EVER, tmp_path, "two", "200") as (_, two),
    ):
        told = {"one": one.read().split()[1:], "two": two.read().split()[1:]}
    found = stored(tmp_path)
    for name, ids in told.items():
        assert len(ids) == 200
        assert [one for one in found if one.startswith(name)] == ids, "order of one sender"
    with open_door(tmp_path) as door:
        waiting = door.run(reading.inbox, USER, limit=1000)
    assert [item.message.id for item in waiting] == found


@pytest.mark.parametrize("after", [0, 1, 7, 40, 150])
def test_a_process_that_is_killed_while_it_puts_loses_nothing_that_it_was_told(tmp_path: Path, after: int) -> None:
    with process(PUT_FOR_EVER, tmp_path, "one", "100000") as (child, out):
        for _ in range(1 + after):
            out.readline()
        child.send_signal(signal.SIGKILL)
        child.wait(SECONDS)
        told = after + out.read().count("\n")
    found = stored(tmp_path)
    assert found == [f"one-{number}" for number in range(len(found))]
    assert told <= len(found) <= told + 1
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        again = Draft(sender="one", to="user", body="x" * 200, id=f"one-{told}")
        assert door.run(letters.put, again).first is (len(found) == told)


@pytest.mark.anyio
async def test_another_process_that_puts_wakes_a_watch(tmp_path: Path) -> None:
    async with opened(tmp_path) as mailbox, mailbox.watch() as watch:
        with process(PUT_FOR_EVER, tmp_path, "one", "1"):
            await watch.wait()
            assert [item.message.id for item in await mailbox.inbox(USER)] == ["one-0"]


@pytest.mark.anyio
async def test_a_door_is_woken_by_a_mailbox_and_a_mailbox_by_a_door(tmp_path: Path) -> None:
    async with opened(tmp_path) as mailbox, mailbox.watch() as watch:
        with open_door(tmp_path, routers=[AddressRouter()]) as door, door.listen() as listener:
            await mailbox.put(Draft(sender="maria", to=USER, body="in"))
            assert listener.wait_for(SECONDS)
            await watch.wait()
            door.run(letters.put, Draft(sender="maria", to=USER, body="out"))
            await watch.wait()


@pytest.mark.anyio
async def test_a_locked_file_is_busy_and_nothing_is_lost(tmp_path: Path) -> None:
    draft = Draft(sender="maria", to=USER, body="hello")
    async with opened(tmp_path, busy_seconds=0.05) as mailbox:
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusyError, match=r"mailbox\.db.*try again"):
                await mailbox.put(draft)
        assert (await mailbox.put(draft)).first


def test_a_full_disk_refuses_what_finds_no_room_and_keeps_what_was_told(tmp_path: Path) -> None:
    with process(FILL_THE_DISK, tmp_path, "one") as (_, out):
        *told, refusal = out.read().split()
    assert refusal == "StoreFullError"
    assert len(told) > 3
    assert stored(tmp_path) == told
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        assert door.run(letters.put, Draft(sender="one", to=USER, body="room again")).first


@pytest.mark.anyio
async def test_a_damaged_file_is_refused_with_the_remedy_and_left_as_it_is(tmp_path: Path) -> None:
    async with opened(tmp_path) as mailbox:
        for number in range(50):
            await mailbox.put(Draft(sender="maria", to=USER, body="x" * 500, id=f"id-{number}"))
    content = bytearray((tmp_path / FILE).read_bytes())
    content[4096 * 5 : 4096 * 9] = os.urandom(4096 * 4)
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StoreError, match=r"damaged.*restore a backup"):
        async with opened(tmp_path):
            raise AssertionError("it was opened")
    assert (tmp_path / FILE).read_bytes() == bytes(content)


@pytest.mark.anyio
async def test_a_file_of_a_newer_relaykit_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreVersionError, match="version 99"):
        async with opened(tmp_path):
            raise AssertionError("it was opened")
    with pytest.raises(StoreVersionError, match="upgrade relaykit"), open_door(tmp_path):
        raise AssertionError("it was opened")
