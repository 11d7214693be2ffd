"""How an agent really is: what the directory says, held against its lock and its relay's heartbeat."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from relaykit.mailbox import directory
from relaykit.model import OFFLINE, StatusKind
from relaykit.relay.clock import SystemClock
from relaykit.relay.ownership import STALE_SECONDS, lock_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from relaykit.mailbox.door import Door
    from relaykit.model import DirectoryEntry, RelayRecord, Status


def is_run(home: Path, agent: str) -> bool:
    """Whether some relay holds the agent's lock. Nothing is created, and nobody's lock is waited for.

    It is tried with a shared lock, so that two who look at once do not take each other for a relay.
    """
    try:
        with lock_path(home, agent).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """An agent of the directory with its status as it really is."""

    entry: DirectoryEntry
    status: Status
    relay: RelayRecord | None


def present(door: Door, home: Path) -> Sequence[Present]:
    """Return every agent of the directory, by id."""
    relays = {relay.incarnation: relay for relay in door.run(directory.relays)}
    return [_present(entry, relays.get(entry.owner or ""), home) for entry in door.run(directory.agents)]


def is_beating(relay: RelayRecord) -> bool:
    """Whether a relay gave a sign of life lately."""
    clock = SystemClock()
    return relay.boot == clock.boot_id() and clock.boot() - relay.beat <= STALE_SECONDS


def _present(entry: DirectoryEntry, relay: RelayRecord | None, home: Path) -> Present:
    return Present(entry=entry, status=_real(entry, relay, home), relay=relay)


def _real(entry: DirectoryEntry, relay: RelayRecord | None, home: Path) -> Status:
    stored = entry.status
    if stored.kind is StatusKind.OFFLINE:
        return stored
    if not is_run(home, entry.agent.id):
        return replace(OFFLINE, reason="gone", detail="the relay that ran it is gone", since=stored.since)
    if relay is None or not is_beating(relay):
        return replace(OFFLINE, reason="stale", detail="its relay gives no sign of life", since=stored.since)
    return stored
