"""Status sinks with one fault each."""

from __future__ import annotations

from contextlib import asynccontextmanager

import anyio

from relaykit.model import BlockEnded, Gap
from relaykit.plugin import Component, hookimpl


class GoodSink:
    async def tell(self, item):
        await anyio.lowlevel.checkpoint()


class ChokesOnGaps(GoodSink):
    async def tell(self, item):
        if isinstance(item, Gap):
            raise TypeError("a gap has no number")


class ChokesOnStrangeText(GoodSink):
    async def tell(self, item):
        if isinstance(item.what if not isinstance(item, Gap) else None, BlockEnded):
            item.what.block.text.encode()


class NeedsTheStore(GoodSink):
    async def tell(self, item):
        if not isinstance(item, Gap) and not item.session:
            raise LookupError("an event without a session")


def component(running):
    @asynccontextmanager
    async def open_(options, context):
        yield running()

    return Component(name=running.__name__, summary="For the tests of the suite", open=open_)


@hookimpl
def relaykit_status_sinks():
    return [component(sink) for sink in (GoodSink, ChokesOnGaps, ChokesOnStrangeText, NeedsTheStore)]
