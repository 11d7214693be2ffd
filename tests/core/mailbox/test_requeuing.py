"""Work for any of a group that is queued once more goes to those alone who may be given it."""

from __future__ import annotations

from pathlib import Path

import pytest

from relaykit.builtin.routing import AddressRouter
from relaykit.errors import RefusedError
from relaykit.mailbox import directory, leases, letters, recall, settling
from relaykit.mailbox.door import Door, open_door
from relaykit.model import USER, Agent, Draft, State


def enter(door: Door, name: str, **more: object) -> None:
    """Have an agent of the group run by a relay."""
    door.run(directory.claim, Agent(id=name, provider="echo", cwd="/", tags=("x",), **more), "relay-1")  # type: ignore[arg-type]


def fail(door: Door, body: str) -> None:
    """Put work for any of the group, and have the open one fail with it."""
    door.run(letters.put, Draft(sender=USER, to="any:tag:x", body=body, id="work"))
    taken = door.run(leases.lease, "open", owner="relay-1", epoch=1, submission="s", session="s")
    assert taken is not None
    door.run(settling.settle, [taken.lease], State.FAILED, "no")


def pool(door: Door) -> list[str]:
    return door.run(lambda tx: tx.column("SELECT agent FROM pool ORDER BY agent"))


def test_nobody_gets_it_whom_its_sender_may_not_reach_or_whose_provider_takes_less(tmp_path: Path) -> None:
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        enter(door, "open")
        enter(door, "secure", reachable_by=("boss",))
        enter(door, "short", max_text=3)
        fail(door, "a long text")
        door.run(recall.requeue, "work")
        assert pool(door) == ["open"]


def test_it_is_refused_where_nobody_may_take_it_any_more(tmp_path: Path) -> None:
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        enter(door, "open")
        fail(door, "work")
        enter(door, "open", reachable_by=("boss",))
        with pytest.raises(RefusedError, match="may not send"):
            door.run(recall.requeue, "work")
        assert pool(door) == []
