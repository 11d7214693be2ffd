"""The machine's own time."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import anyio

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """Wall clock, boot clock and real waiting."""

    def now(self) -> float:
        """Return wall-clock seconds."""
        return time.time()

    def boot(self) -> float:
        """Return seconds since the machine started, those asleep too."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot_id(self) -> str:
        """Return the kernel's id of this boot."""
        return _boot_id()

    async def sleep(self, seconds: float) -> None:
        """Wait for real."""
        await anyio.sleep(seconds)


@cache
def _boot_id() -> str:
    # Read once: a heartbeat must not depend on whether a descriptor is left.
    return _BOOT_ID.read_text(encoding="ascii").strip()
