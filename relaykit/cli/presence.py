"""How an agent really is: what the directory says, held against its lock and its relay's heartbeat."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from relaykit.cli.detached import detached
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
        return replace(stored, detail=_runs_on(home, entry.agent.id) or stored.detail)
    if not is_run(home, entry.agent.id):
        detail = f"the relay that ran it is gone; {_runs_on(home, entry.agent.id)}".rstrip("; ")
        return replace(OFFLINE, reason="gone", detail=detail, since=stored.since)
    if relay is None or not is_beating(relay):
        return replace(OFFLINE, reason="stale", detail="its relay gives no sign of life", since=stored.since)
    return stored


def _runs_on(home: Path, agent: str) -> str:
    """Return words for what runs without a relay."""
    found = detached(home, agent)
    return f"its detached process {', '.join(map(str, found))} runs on" if found else ""
