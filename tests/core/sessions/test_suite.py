from contextlib import asynccontextmanager

import pytest

from relaykit.sessions.store import open_sessions_file
from relaykit.testing.memory_sessions import memory_sessions
from relaykit.testing.sessions import SessionStoreSuite


@pytest.mark.parity("SR-6")
class TestSqlite(SessionStoreSuite):
    def open(self, directory):
        return open_sessions_file(directory / "sessions.db")


@pytest.mark.parity("SR-6")
class TestMemory(SessionStoreSuite):
    keeps = False

    @asynccontextmanager
    async def open(self, directory):
        with memory_sessions() as store:
            yield store
