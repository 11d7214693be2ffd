"""What a sweep takes out of the file, and what it leaves in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox import directory, leases, letters, retention, settling
from relaykit.mailbox.door import Door, open_door
from relaykit.model import USER, Agent, Draft, State
from relaykit.storage.space import free_pages

LATER = 1e12


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        door.run(directory.claim, Agent(id="a", provider="echo", cwd="/"), "relay-1")
        yield door


def settle(door: Door, body: str) -> None:
    door.run(letters.put, Draft(sender=USER, to="a", body=body))
    leased = door.run(leases.lease, "a", owner="relay-1", epoch=1, submission="s", session="s")
    assert leased is not None
    door.run(settling.settle, [leased.lease], State.ANSWERED, "completed")


def pages(door: Door) -> int:
    count: int = door._database.connection.execute("PRAGMA page_count").fetchone()[0]
    return count


def test_the_file_gives_back_the_space_of_what_was_swept(door: Door) -> None:
    before = pages(door)
    for _ in range(20):
        settle(door, "x" * 20_000)
    assert pages(door) > before + 80
    assert door.run(retention.sweep, settled_before=LATER, keys_before=LATER) == 20
    assert (free_pages(door._database.connection), pages(door) < before + 20) == (0, True)


def test_what_is_free_is_given_back_where_nothing_was_swept(door: Door) -> None:
    settle(door, "x" * 100_000)
    door._database.connection.execute("UPDATE message SET body = ''")
    assert free_pages(door._database.connection) > 20
    assert door.run(retention.sweep, settled_before=0.0, keys_before=0.0) == 0
    assert free_pages(door._database.connection) == 0
