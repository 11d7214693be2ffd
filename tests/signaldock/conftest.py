"""A transport over a scripted server, with everything that a test wants to look at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from relaykit.model import Accepted, Command, Credential, Draft, Secret
from relaykit.plugin import Context
from relaykit.testing.clock import VirtualClock
from relaykit.testing.contexts import MemoryIntake, make_context
from relaykit.testing.dock import ScriptedDock, scripted_dock
from relaykit.testing.memory_credentials import MemoryCredentials
from relaykit_signaldock import SIGNALDOCK

KEY = "sk_live_bob"


class TellingIntake(MemoryIntake):
    """Has the tests look again when something came in."""

    def __init__(self, dock: ScriptedDock) -> None:
        super().__init__()
        self._dock = dock
        self.tried = 0

    async def put(self, draft: Draft, *, synced: bool = True) -> Accepted:
        assert synced
        try:
            return await super().put(draft, synced=synced)
        finally:
            self._dock.touch()

    async def order(self, *about: Any, **more: Any) -> Command:
        self.tried += 1
        try:
            return await super().order(*about, **more)
        finally:
            self._dock.touch()


@dataclass
class Bench:
    """A server, a home, a credential, and what the transport brought and said."""

    dock: ScriptedDock
    home: Path
    clock: VirtualClock = field(default_factory=VirtualClock)
    intake: MemoryIntake = field(init=False)
    reports: list[str] = field(default_factory=list)
    credentials: MemoryCredentials = field(init=False)

    def __post_init__(self) -> None:
        self.intake = TellingIntake(self.dock)
        fields = {"agentId": "bob", "apiBaseUrl": self.dock.url}
        record = Credential(secret=Secret(KEY), kind="signaldock", fields=fields, since=self.clock.now())
        self.credentials = MemoryCredentials({"dock": record})

    @property
    def context(self) -> Context:
        made = make_context(self.home, name="dock", clock=self.clock, intake=self.intake, credentials=self.credentials)
        return replace(made, report=self.reports.append)

    @asynccontextmanager
    async def open(self, **options: Any) -> AsyncIterator[Any]:
        """Open the transport; as soon as this returns, it has begun."""
        async with SIGNALDOCK.open({"timeout_seconds": 5, **options}, self.context) as transport:
            yield transport

    @property
    def bodies(self) -> list[str]:
        return [draft.body for draft in self.intake.drafts]

    async def arrived(self, count: int) -> list[str]:
        """Return what came in, once it is that many."""
        await self.dock.until(lambda: len(self.bodies) >= count)
        return self.bodies

    def rows(self, count: int, **more: Any) -> list[Mapping[str, Any]]:
        return [self.dock.tell(f"number {number}", stream=False, **more) for number in range(1, count + 1)]


@pytest.fixture
def anyio_backend():
    """Real sockets are asyncio's here; on trio the HTTP library leaves generators behind where it is cancelled."""
    return "asyncio"


@pytest.fixture
async def dock(anyio_backend):  # so that tests that are not async get it, too
    async with scripted_dock() as dock:
        yield dock


@pytest.fixture
def bench(dock, tmp_path):
    return Bench(dock, tmp_path)
