"""Starts in one CODEX_HOME, one after another."""

from __future__ import annotations

import fcntl
import os
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

_PATIENCE_SECONDS = 10.0
"""After this a start no longer waits for another one: that one hangs."""
_LOOK_SECONDS = 0.02


@asynccontextmanager
async def one_at_a_time(environment: Mapping[str, str]) -> AsyncIterator[Callable[[], None]]:
    """Hold other starts in the CODEX_HOME back until what this yields is called, or the context ends.

    Where two make the databases of a new home at the same moment, one codex fails.
    """
    home = environment.get("CODEX_HOME") or Path.home() / ".codex"
    with ExitStack() as held:
        with suppress(OSError):  # there is no such directory yet, or it cannot be locked: then as without a lock
            place = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            held.callback(os.close, place)
            await _locked(place)
        yield held.close


async def _locked(place: int) -> None:
    with anyio.move_on_after(_PATIENCE_SECONDS):
        while True:
            try:
                fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await anyio.sleep(_LOOK_SECONDS)
            else:
                return
