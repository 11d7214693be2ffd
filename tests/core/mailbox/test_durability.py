"""What another machine is about to be told of is safe from loss of power before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox import leases
from relaykit.mailbox.schema import FILE
from relaykit.mailbox.sqlite import open_mailbox
from relaykit.model import USER, Draft

pytestmark = pytest.mark.anyio
NORMAL, FULL = 1, 2
"""SQLite's levels of ``synchronous``; the latter syncs all that was written until then when it commits."""


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(("recipient", "level"), [("bob@dock", FULL), (USER, NORMAL)])
async def test_a_message_is_synced_before_it_leaves_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipient: str, level: int
) -> None:
    levels, real = [], leases.lease_outgoing

    def looked_at(tx: Any, *which: str, **how: str) -> object:
        levels.extend(tx.column("PRAGMA synchronous"))
        return real(tx, *which, **how)

    monkeypatch.setattr(leases, "lease_outgoing", looked_at)
    async with open_mailbox(tmp_path / FILE, routers=[AddressRouter()]) as mailbox:
        await mailbox.put(Draft(sender="maria", to=recipient, body="hello"))
        assert await mailbox.lease_outgoing(recipient, owner="relay-1") is not None
    assert levels == [level]
