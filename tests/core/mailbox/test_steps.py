"""However often a delivery is tried, its steps stay few, and tell what is asked of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox import directory, leases, letters
from relaykit.mailbox.door import Door, open_door
from relaykit.model import USER, Agent, Draft, LeasedDelivery, Noted, State, begun_before

OFTEN = 100


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        door.run(directory.claim, Agent(id="a", provider="echo", cwd="/"), "relay-1")
        door.run(letters.put, Draft(sender=USER, to="a", body="hello"))
        yield door


def begin(door: Door) -> LeasedDelivery:
    leased = door.run(leases.lease, "a", owner="relay-1", epoch=1, submission="s", session="s")
    assert leased is not None
    return seen(door, leased)


def seen(door: Door, leased: LeasedDelivery) -> LeasedDelivery:
    door.run(leases.note, [Noted(lease=leased.lease, at=1.0, turn="turn")])
    return door.run(leases.leased, leased.delivery.id)


def again(door: Door, leased: LeasedDelivery, *, anew: bool) -> LeasedDelivery:
    return door.run(leases.relet, leased.lease, submission="s", session="s", note="out of quota", anew=anew)


def test_one_that_is_gone_on_with_for_weeks_has_few_steps_and_was_begun(door: Door) -> None:
    leased = begin(door)
    for _ in range(OFTEN):
        leased = again(door, seen(door, leased), anew=False)
        assert begun_before(leased.delivery.steps)
    assert len(leased.delivery.steps) < 70
    assert leased.delivery.steps[-1].note == "out of quota"


def test_one_that_is_begun_anew_for_weeks_has_few_steps_and_was_seen_once(door: Door) -> None:
    leased = begin(door)
    for _ in range(OFTEN):
        leased = again(door, leased, anew=True)
        assert not begun_before(leased.delivery.steps)
    assert len(leased.delivery.steps) < 70


def test_that_one_was_seen_is_not_forgotten_with_the_middle_of_its_steps(door: Door) -> None:
    leased = door.run(leases.lease, "a", owner="relay-1", epoch=1, submission="s", session="s")
    assert leased is not None
    for attempt in range(OFTEN):
        leased = again(door, leased, anew=True)
        if attempt == OFTEN // 4:
            leased = seen(door, leased)
    states = [step.state for step in leased.delivery.steps]
    assert (State.SEEN in states, begun_before(leased.delivery.steps)) == (True, False)
