"""How an agent really is: what the directory says, held against its lock and its relay's heartbeat."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

from msgspec.structs import replace

from relaykit.model import OFFLINE, StatusKind
from relaykit.relay.ownership import STALE_SECONDS, lock_path
from relaykit.relay.runfile import running

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from relaykit.model import DirectoryEntry, RelayRecord, Status
    from relaykit.plugin import Clock


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


def is_beating(relay: RelayRecord, clock: Clock) -> bool:
    """Whether a relay gave a sign of life lately."""
    return relay.boot == clock.boot_id() and clock.boot() - relay.beat <= STALE_SECONDS


def living(
    relays: Sequence[RelayRecord], agents: Sequence[DirectoryEntry], home: Path, clock: Clock
) -> list[RelayRecord]:
    """Return those that live: the beat of one that was killed lasts a while, but not its process, nor its locks.

    One whose process cannot be seen from here, in another container, is told by the locks of what it claimed.
    """
    seen = {info.incarnation for info in running(home, clock.boot_id())}
    seen |= {entry.owner for entry in agents if entry.owner and is_run(home, entry.agent.id)}
    return [relay for relay in relays if relay.incarnation in seen and is_beating(relay, clock)]


def real_status(entry: DirectoryEntry, relay: RelayRecord | None, home: Path, clock: Clock) -> Status:
    """Return an agent's status; ``relay`` is the one that claimed it last, if it has entered."""
    stored = entry.status
    if stored.kind is StatusKind.OFFLINE or entry.agent.reads_inbox:
        return stored
    if not is_run(home, entry.agent.id):
        return replace(OFFLINE, reason="gone", detail="the relay that ran it is gone", since=stored.since)
    if relay is None or not is_beating(relay, clock):
        return replace(OFFLINE, reason="stale", detail="its relay gives no sign of life", since=stored.since)
    return stored
