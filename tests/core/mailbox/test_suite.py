"""The suite over the mailbox in a file and over the one in memory."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox.schema import FILE
from relaykit.mailbox.sqlite import open_mailbox
from relaykit.model import Limits
from relaykit.plugin import Clock, Mailbox
from relaykit.testing import MailboxSuite
from relaykit.testing.memory import open_memory_mailbox


@pytest.mark.parity("AR-5", "AR-6", "N-4")
class TestSqliteMailbox(MailboxSuite):
    def open(self, directory: Path, clock: Clock, limits: Limits) -> AbstractAsyncContextManager[Mailbox]:
        return open_mailbox(directory / FILE, routers=[AddressRouter()], limits=limits, now=clock.now)


class TestMailboxInMemory(MailboxSuite):
    def open(self, directory: Path, clock: Clock, limits: Limits) -> AbstractAsyncContextManager[Mailbox]:
        return open_memory_mailbox(clock, routers=[AddressRouter()], limits=limits)
