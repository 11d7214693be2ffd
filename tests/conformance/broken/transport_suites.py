"""The suite over each broken transport, with the names of the checks that have to fail."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from relaykit.testing.transport import TransportSuite


class Broken(TransportSuite):
    plugin = "broken_transports"
    patience = 5.0
    fails = frozenset()

    def __init_subclass__(cls) -> None:
        cls.transport = cls.__name__
        super().__init_subclass__()

    @pytest.fixture
    def anyio_backend(self):
        return "asyncio"

    @asynccontextmanager
    async def outside_listens(self, transport):
        transport.boxes[self.recipient] = box = []
        yield box
        del transport.boxes[self.recipient]

    async def outside_received(self, listener):
        return listener.pop(0)

    async def outside_sends(self, transport, id, body):
        return await transport.bring_in(id, body)


class GoodTransport(Broken):
    pass


class TakesWhatNobodyGets(Broken):
    fails = frozenset({"test_whom_it_does_not_reach_it_cannot_send_to"})


class TurnsTheOrderRound(Broken):
    fails = frozenset({"test_messages_arrive_in_order"})


class LosesASecondMessage(Broken):
    fails = frozenset({"test_messages_arrive_in_order"})


class AcknowledgesWhatWasNotStored(Broken):
    fails = frozenset({"test_what_was_not_stored_is_not_acknowledged"})


class MakesUpIds(Broken):
    fails = frozenset({"test_a_message_from_outside_is_put_once_however_often_it_comes"})


class NamesNoAccount(Broken):
    fails = frozenset({"test_a_message_from_outside_says_where_it_came_from"})


class KeepsATask(Broken):
    fails = frozenset({"test_closing_leaves_no_task_behind"})
