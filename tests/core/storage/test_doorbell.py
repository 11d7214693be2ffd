from __future__ import annotations

import os
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import anyio
import pytest

from relaykit.errors import StoreError
from relaykit.storage.doorbell import Bell, Listener

NOW = 0.0
SOON = 5.0


def sockets(store: Path) -> list[Path]:
    return list(store.with_name(f"{store.name}-bell").iterdir())


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store whose path is longer than any socket's may be."""
    directory = tmp_path / ("x" * 120)
    directory.mkdir()
    return directory / "notes.db"


@pytest.fixture
def exhaust() -> Iterator[Callable[[], list[int]]]:
    """Takes all descriptors that this process may have; returns them."""
    taken: list[int] = []
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    def exhaust() -> list[int]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, limits[0]), limits[1]))
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        return taken

    yield exhaust
    for descriptor in taken:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_every_listener_hears_a_ring_once(store: Path) -> None:
    with closing(Bell(store)) as bell, closing(Listener(store)) as one, closing(Listener(store)) as two:
        bell.ring()
        assert [one.wait_for(SOON), two.wait_for(SOON)] == [True, True]
        assert [one.wait_for(NOW), two.wait_for(NOW)] == [False, False]


def test_a_quiet_ring_is_heard_in_other_processes_only(store: Path) -> None:
    with closing(Bell(store)) as bell, closing(Listener(store)) as here:
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as elsewhere:
            elsewhere.bind(here._street.address("elsewhere"))
            elsewhere.settimeout(SOON)
            bell.ring(quietly=True)
            assert elsewhere.recv(1) == b""
        assert not here.wait_for(NOW)


def test_many_rings_that_nobody_waited_for_are_one(store: Path) -> None:
    with closing(Bell(store)) as bell, closing(Listener(store)) as listener:
        for _ in range(2000):
            bell.ring()
        assert listener.wait_for(SOON)
        assert not listener.wait_for(NOW)


def test_listeners_that_are_stopped_keep_no_ring_from_the_others(store: Path) -> None:
    with ExitStack() as stack:
        bell, listener = stack.enter_context(closing(Bell(store))), stack.enter_context(closing(Listener(store)))
        bell._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 0)  # the least that the system gives
        for _ in range(3):
            stack.enter_context(closing(Listener(store)))
        for _ in range(100):
            bell.ring()
            assert listener.wait_for(NOW)


def test_a_listener_whose_process_died_is_cleared_away(store: Path) -> None:
    with closing(Bell(store)) as bell, closing(Listener(store)) as alive:
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as dead:
            dead.bind(alive._street.address("dead"))
        assert len(sockets(store)) == 2
        bell.ring()
        assert len(sockets(store)) == 1
        assert alive.wait_for(SOON)


def test_a_listener_that_closes_leaves_nothing(store: Path) -> None:
    Listener(store).close()
    assert sockets(store) == []


def test_what_rang_before_it_listened_is_not_heard(store: Path) -> None:
    with closing(Bell(store)) as bell:
        bell.ring()
        with closing(Listener(store)) as listener:
            assert not listener.wait_for(NOW)


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"notes\.db-bell"):
        Bell(tmp_path / "missing" / "notes.db")


def test_who_waits_for_a_name_hears_what_concerns_it_and_nothing_else(store: Path) -> None:
    with closing(Bell(store)) as bell, closing(Listener(store)) as listener:
        bell.ring(["b"])
        assert not listener.wait_for(NOW, "a")
        for named in (["b", "a"], None):
            bell.ring(named)
            assert listener.wait_for(SOON, "a")
        bell.ring(["b"])
        bell.ring(["b"])
        assert listener.wait_for(SOON, "a"), "of several some may have been lost"


@pytest.mark.anyio
@pytest.mark.parametrize("named", [None, [], ["a"], ["ä", "b"]])
async def test_a_ring_says_whom_it_concerns(store: Path, named: list[str] | None) -> None:
    with closing(Bell(store)) as bell, closing(Listener(store)) as listener, anyio.fail_after(SOON):
        bell.ring(named)
        assert await listener.wait() == named


@pytest.mark.anyio
@pytest.mark.parametrize("rings", [[["a"], ["b"]], [["a"], None], [None, ["a"]], [["x" * 300, "y" * 300]], [["a\nb"]]])
async def test_several_rings_or_too_many_names_concern_everyone(store: Path, rings: list[list[str] | None]) -> None:
    with closing(Bell(store)) as bell, closing(Listener(store)) as listener, anyio.fail_after(SOON):
        for named in rings:
            bell.ring(named)
        assert await listener.wait() is None


@pytest.mark.anyio
async def test_a_task_that_waits_is_woken(store: Path) -> None:
    with closing(Bell(store)) as bell, closing(Listener(store)) as listener, anyio.fail_after(SOON):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.wait, name="listener")
            await anyio.wait_all_tasks_blocked()
            bell.ring()
        bell.ring()
        await listener.wait()


def test_who_comes_long_after_the_last_is_heard_as_well_as_who_left_is_forgotten(store: Path) -> None:
    with closing(Bell(store)) as bell, closing(Listener(store)) as first:
        street = store.with_name(f"{store.name}-bell")
        for _ in range(2):
            os.utime(street, (0, 0))  # as if nobody had come or gone for years
            bell.ring()
            assert first.wait_for(NOW)
        with closing(Listener(store)) as second:
            bell.ring()
            assert [first.wait_for(NOW), second.wait_for(NOW)] == [True, True]
        os.utime(street, (1, 1))
        bell.ring()
        assert first.wait_for(NOW)
        assert len(bell._street.names()) == 1


def test_a_bell_rings_those_whom_it_knows_where_no_descriptor_is_left(store: Path, exhaust) -> None:
    with closing(Bell(store)) as bell, closing(Listener(store)) as listener:
        bell.ring()
        assert listener.wait_for(SOON)
        with closing(Listener(store)):
            pass  # the directory has changed, so it would be listed anew
        exhaust()
        bell.ring()
        assert listener.wait_for(SOON)


@pytest.mark.parametrize("make", [Bell, Listener])
def test_who_can_have_no_socket_keeps_no_descriptor(store: Path, exhaust, make) -> None:
    taken = exhaust()
    os.close(taken.pop())
    with pytest.raises(StoreError, match="cannot be made"):
        make(store)
    taken.append(os.open(os.devnull, os.O_RDONLY))
