"""What a relay held that is gone, as far as no agent's lock protects it."""

from __future__ import annotations

from pathlib import Path

import pytest

from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox import directory, freeing, leases, letters, reading, recall
from relaykit.mailbox.door import open_door
from relaykit.model import USER, Draft, RelayRecord, State


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
