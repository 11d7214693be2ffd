"""The built-in transport passes the suite that anyone's has to pass."""

from __future__ import annotations

from contextlib import asynccontextmanager

from relaykit.testing.transport import TransportSuite


class TestLocal(TransportSuite):
    plugin = "relaykit.builtin.hooks"
    transport = "local"
    brings_in = False

    @asynccontextmanager
    async def outside_listens(self, transport):
        with transport.subscribe(self.recipient) as messages:
            yield messages

    async def outside_received(self, listener):
        return (await listener.receive()).body
