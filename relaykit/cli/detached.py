"""Processes of agents that outlive their relay, seen and ended from outside of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.relay.clock import SystemClock
from relaykit.relay.ownership import agent_lock, children_directory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def detached(home: Path, agent: str) -> Sequence[int]:
    """Return the processes of an agent that run whether a relay does or not."""
    from relaykit.relay.children import orphans  # noqa: PLC0415 - only where there may be any

    directory = children_directory(home, agent)
    if not directory.exists():
        return ()
    return [record.pid for record in orphans.detached(directory, SystemClock().boot_id()) if record.alive]


def end_detached(home: Path, agent: str) -> str:
    """End them where no relay runs the agent, and return what was ended, in words.

    Raises:
        AlreadyRunError: One has just begun to run it.
    """
    found = detached(home, agent)
    if not found:
        return ""
    import anyio  # noqa: PLC0415 - only where there are any

    from relaykit.relay.children import orphans  # noqa: PLC0415

    with agent_lock(home, agent):
        anyio.run(orphans.end_detached, children_directory(home, agent), SystemClock().boot_id())
    return f"its detached process {', '.join(map(str, found))} was ended"
