"""What a relay held that is gone, as far as no agent's lock protects it."""

from __future__ import annotations

from pathlib import Path

import pytest

from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox import directory, freeing, leases, letters, reading, recall, settling
from relaykit.mailbox.door import open_door
from relaykit.model import USER, Agent, Draft, RelayRecord, State


@pytest.mark.parametrize("died", [True, False])
def test_what_was_to_be_cancelled_ends_with_its_relay_and_goes_out_no_more(tmp_path: Path, died: bool) -> None:
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        door.run(directory.join, RelayRecord(incarnation="relay-1", pid=1, boot="boot", beat=0.0))
        for body in ("cancelled", "wanted"):
            door.run(letters.put, Draft(sender=USER, to=f"{body}@dock", body=body, id=body))
            door.run(leases.lease_outgoing, f"{body}@dock", owner="relay-1")
        door.run(recall.cancel, "cancelled")
        if died:
            assert door.run(freeing.release_stale, "boot", 30.0) == 2
        else:
            door.run(freeing.leave, "relay-1")
        (gone,) = door.run(reading.trace, "cancelled").deliveries
        assert (gone.state, gone.owner) == (State.CANCELLED, None)
        assert door.run(leases.lease_outgoing, "cancelled@dock", owner="relay-2") is None
        assert door.run(leases.lease_outgoing, "wanted@dock", owner="relay-2") is not None


def test_what_was_on_its_way_to_a_person_is_the_agents_of_that_name(tmp_path: Path) -> None:
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        door.run(letters.put, Draft(sender="maria", to=USER, body="hello"))
        door.run(letters.put, Draft(sender=USER, to="maria", body="hello maria", id="one"))
        door.run(leases.lease_outgoing, "maria", owner="relay-1")
        claim = door.run(directory.claim, Agent(id="maria", provider="echo", cwd="/"), "relay-2")
        (delivery,) = door.run(reading.trace, "one").deliveries
        assert (claim.abandoned, delivery.state) == ((), State.QUEUED)
        assert "on its way to a person" in delivery.reason


def test_what_was_cancelled_when_it_had_gone_out_says_so(tmp_path: Path) -> None:
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        door.run(letters.put, Draft(sender=USER, to="bob@dock", body="hello", id="one"))
        out = door.run(leases.lease_outgoing, "bob@dock", owner="relay-1")
        assert out is not None
        door.run(recall.cancel, "one")
        door.run(settling.settle, [out.lease], State.ACKNOWLEDGED, "taken under number 7")
        (delivery,) = door.run(reading.trace, "one").deliveries
    assert delivery.state is State.CANCELLED
    assert delivery.reason == "cancelled; it had gone out, and ended acknowledged: taken under number 7"


def test_what_was_cancelled_in_its_turn_says_how_that_ended(tmp_path: Path) -> None:
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        door.run(directory.claim, Agent(id="a", provider="echo", cwd="/"), "relay-1")
        reasons = []
        for ended in (State.ANSWERED, State.CANCELLED):
            message = door.run(letters.put, Draft(sender=USER, to="a", body="hello")).message.id
            taken = door.run(leases.lease, "a", owner="relay-1", epoch=1, submission="s", session="s")
            assert taken is not None
            door.run(recall.cancel, message)
            door.run(settling.settle, [taken.lease], ended, "why")
            reasons.append(door.run(reading.trace, message).deliveries[0].reason)
    assert reasons == ["cancelled; its turn ended answered: why", "why"]


@pytest.mark.parametrize("begun", [True, False])
def test_of_any_of_a_group_only_what_no_session_began_with_is_free_for_the_others(tmp_path: Path, begun: bool) -> None:
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        door.run(directory.join, RelayRecord(incarnation="relay-1", pid=1, boot="boot", beat=0.0))
        claim = door.run(directory.claim, Agent(id="a", provider="echo", cwd="/", tags=("x",)), "relay-1")
        door.run(letters.put, Draft(sender=USER, to="any:tag:x", body="look", id="one"))
        held = door.run(leases.lease, "a", owner="relay-1", epoch=claim.epoch, submission="s-1", session="session")
        assert held is not None
        door.run(leases.relet, held.lease, submission="s-2", session="session", note="once more", anew=not begun)
        assert door.run(freeing.release_stale, "boot", 30.0) == (0 if begun else 1)
