"""The transport passes the suite that anyone's has to pass, with and without a stream."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import ClassVar

import pytest

from relaykit.testing.clock import settle
from relaykit.testing.transport import TransportSuite

CONVERSATION = "transports.conformance"


@pytest.mark.parity("CR-2")
class TestPolling(TransportSuite):
    plugin = "relaykit_signaldock"
    transport = "signaldock"
    recipient = "alice@transports.conformance"
    secrets: ClassVar = {"key": "sk_live_bob"}
    mode = "http"
    bad_options: ClassVar = {"url": "ftp://there"}

    @pytest.fixture(autouse=True)
    def _dock(self, dock):
        self.dock = dock

    @pytest.fixture
    def opening_options(self, dock):
        return {
            "url": dock.url,
            "agent": "bob",
            "credential": "key",
            "mode": self.mode,
            "poll_seconds": 0.02,
            "safety_seconds": 0.02,
        }

    @asynccontextmanager
    async def open(self, registry, options, context):
        async with super().open(registry, options, context) as transport:
            yield transport
        await self.dock.until(lambda: self.dock.connections == 0)  # the server's tasks are in this loop, too
        await settle()

    @asynccontextmanager
    async def outside_listens(self, transport):
        yield iter(range(1000))

    async def outside_received(self, listener):
        number = next(listener)
        await self.dock.until(lambda: len(self.dock.posted) > number)
        return self.dock.posted[number]["content"]

    async def outside_sends(self, transport, id, body):
        dock, looks = self.dock, len(self.dock.said("GET /messages/peek"))
        if id not in {row["id"] for row in dock.rows}:
            dock.tell(body, id=id)
        else:
            dock.acked.discard(id)
        refused = self.intake_.refusal is not None
        enough = looks + 5
        await dock.until(lambda: id in dock.acked or (refused and len(dock.said("GET /messages/peek")) > enough))
        return id in dock.acked

    @pytest.fixture(autouse=True)
    def _intake(self, intake):
        self.intake_ = intake


@pytest.mark.parity("CR-2")
class TestStreaming(TestPolling):
    mode = "auto"
