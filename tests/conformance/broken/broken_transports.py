"""A transport that keeps the contract, and some with one fault each. Their outside is a list and a method."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager

import anyio

from relaykit.errors import RelaykitError, TransportError
from relaykit.model import Draft, new_id
from relaykit.plugin import Component, Receipt, hookimpl


class GoodTransport:
    def __init__(self, context):
        self.intake = context.intake
        self.boxes = {}

    def reaches(self, recipient):
        return recipient in self.boxes

    async def send(self, message, recipient):
        await anyio.lowlevel.checkpoint()
        if recipient not in self.boxes:
            raise TransportError(f"nobody is called {recipient}")
        self.boxes[recipient].append(message.body)
        return Receipt(detail=f"in the box of {recipient}")

    account = "box/one"

    async def bring_in(self, id, body):
        try:
            await self.intake.put(Draft(id=id, sender="outside", to="agent", body=body, account=self.account))
        except RelaykitError:
            return False
        return True

    @asynccontextmanager
    async def running(self):
        yield self


class TakesWhatNobodyGets(GoodTransport):
    async def send(self, message, recipient):
        self.boxes.setdefault(recipient, [])
        return await super().send(message, recipient)


class TurnsTheOrderRound(GoodTransport):
    async def send(self, message, recipient):
        receipt = await super().send(message, recipient)
        self.boxes[recipient].sort(reverse=True)
        return receipt


class LosesASecondMessage(GoodTransport):
    async def send(self, message, recipient):
        if self.boxes.get(recipient):
            return Receipt(detail="thrown away")
        return await super().send(message, recipient)


class AcknowledgesWhatWasNotStored(GoodTransport):
    async def bring_in(self, id, body):
        await super().bring_in(id, body)
        return True


class MakesUpIds(GoodTransport):
    async def bring_in(self, id, body):
        return await super().bring_in(new_id(), body)


class NamesNoAccount(GoodTransport):
    account = None


class KeepsATask(GoodTransport):
    @asynccontextmanager
    async def running(self):
        loop = sys.modules["asyncio"].get_running_loop()
        self.leaked = loop.create_task(anyio.sleep_forever())
        yield self


TRANSPORTS = [
    GoodTransport,
    TakesWhatNobodyGets,
    TurnsTheOrderRound,
    LosesASecondMessage,
    AcknowledgesWhatWasNotStored,
    MakesUpIds,
    NamesNoAccount,
    KeepsATask,
]


def component(transport):
    @asynccontextmanager
    async def open_(options, context):
        async with transport(context).running() as running:
            yield running

    return Component(name=transport.__name__, summary="For the tests of the suite", open=open_)


@hookimpl
def relaykit_transports():
    return [component(transport) for transport in TRANSPORTS]
