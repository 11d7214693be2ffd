"""How an agent really is: what the directory says, held against its lock and its relay's heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from relaykit.cli.detached import detached
from relaykit.mailbox import directory, reading
from relaykit.model import StatusKind
from relaykit.relay import standing
from relaykit.relay.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from relaykit.mailbox.door import Door
    from relaykit.model import DirectoryEntry, RelayRecord, Status


class Present(Struct, frozen=True, kw_only=True):
    """An agent of the directory with its status as it really is."""

    entry: DirectoryEntry
    status: Status
    relay: RelayRecord | None


def present(door: Door, home: Path) -> Sequence[Present]:
    """Return every agent of the directory, by id; what waits for any of a group is part of each member's queue."""
    relays = {relay.incarnation: relay for relay in door.run(directory.relays)}
    entries, pooled = door.run(directory.agents), door.run(reading.pooled)
    shared = [_sharing(entry, *pooled.get(entry.agent.id, (0, 0))) for entry in entries]
    return [_present(entry, relays.get(entry.owner or ""), home) for entry in shared]


def living(relays: Sequence[RelayRecord], there: Sequence[Present], home: Path) -> Sequence[RelayRecord]:
    """Return the relays that live; ``there`` is every agent of the directory."""
    return standing.living(relays, [one.entry for one in there], home, SystemClock())


def _sharing(entry: DirectoryEntry, messages: int, size: int) -> DirectoryEntry:
    return replace(entry, queued=entry.queued + messages, queued_bytes=entry.queued_bytes + size)


def _present(entry: DirectoryEntry, relay: RelayRecord | None, home: Path) -> Present:
    status = standing.real_status(entry, relay, home, SystemClock())
    if status.kind is StatusKind.OFFLINE and (found := detached(home, entry.agent.id)):
        runs_on = f"its detached process {', '.join(map(str, found))} runs on"
        status = replace(status, detail="; ".join(filter(None, (status.detail, runs_on))))
    return Present(entry=entry, status=status, relay=relay)
