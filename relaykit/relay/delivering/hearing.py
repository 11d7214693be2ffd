"""Takes in all that a session tells, whatever it tells it by."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import anyio

from relaykit.model import Occurrence
from relaykit.plugin import Channel, Occurrences


async def hear_out(events: Occurrences, hear: Callable[[Occurrence], None]) -> None:
    """Call a function with each occurrence, in order; return once the session is over."""
    if isinstance(events, Channel):
        await events.feed(hear)
        return
    with suppress(anyio.EndOfStream):
        while True:
            hear(await events.receive())
            # What came with it costs no further round of the event loop.
            with suppress(anyio.WouldBlock):
                while True:
                    hear(events.receive_nowait())
