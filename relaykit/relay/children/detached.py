"""Processes that outlive the relay: found again by what was written down of them."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import anyio

from relaykit.errors import ProviderError
from relaykit.relay.children.orphans import end_detached, forget, signal_exactly
from relaykit.relay.children.proc import process_stat, wait_exit
from relaykit.relay.ownership import children_directory

if TYPE_CHECKING:
    from pathlib import Path

    from relaykit.relay.children.orphans import ChildRecord
    from relaykit.relay.services import Services


_REAP_SECONDS = 1.0


class Detached:
    """A process that outlives the relay: the ``DetachedProcess`` of the plugin contract.

    Args:
        directory: Where it is written down.
        record: What is written down of it.
        found: Whether it ran already.
    """

    def __init__(self, directory: Path, record: ChildRecord, *, found: bool) -> None:
        self._directory = directory
        self._record = record
        self._code: int | None = None
        self.found = found

    @property
    def pid(self) -> int:
        """Its process id, and that of its process group."""
        return self._record.pid

    async def wait(self) -> int | None:
        """Return once it is dead: its exit code, None where another relay started it."""
        stat = process_stat(self.pid)
        # One that looks dead may have threads that are not: its exit code comes with the last of them.
        if self._code is None and stat is not None and stat.start == self._record.start:
            await wait_exit(self.pid)
        return self._reaped()

    async def end(self, grace: float = 2.0) -> None:
        """Ask it to end, and end it with all that it left behind."""
        stat = process_stat(self.pid)
        if stat is not None and self._record.alive:
            signal_exactly(stat, signal.SIGTERM)
            with anyio.move_on_after(grace, shield=True):
                await wait_exit(self.pid)
        await forget(self._directory, self._record)
        with anyio.move_on_after(_REAP_SECONDS, shield=True):
            await self.wait()

    def _reaped(self) -> int | None:
        if self.found or self._code is not None:  # not our child, or its number may be another's already
            return self._code
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self._code = os.waitstatus_to_exitcode(status)
        return self._code


async def end_detached_of(services: Services, agent: str) -> None:
    """End what outlives the relay of an agent that is stopped or started anew."""
    try:
        await end_detached(children_directory(services.config.home, agent), services.clock.boot_id())
    except ProviderError as error:
        services.report(f"{agent}: {error}")
