"""The calls of one request, each at a desk of its own, and how a client gives one up."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import anyio
from msgspec import Struct, field

from relaykit.server.desk import MAX_WAIT, Desk, end_at
from relaykit.server.jsonrpc import Call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from relaykit.relay.services import Services
    from relaykit.server.jsonrpc import Read
    from relaykit.server.passes import Caller

_CANCELLED = "notifications/cancelled"
_END_SECONDS = 5.0


class Visit(Struct, eq=False):
    """One request that calls tools."""

    caller: Caller
    services: Services
    closing: anyio.Event
    disconnected: Callable[[], Awaitable[None]]
    until: float = field(default_factory=lambda: anyio.current_time() + MAX_WAIT)
    """The calls of a batch are answered one after another, and together: they share the time that one may wait."""
    desks: list[Desk] = field(default_factory=list)
    """One for each call so far."""

    def desk(self, call: Call) -> Desk:
        """Return what a call works with."""
        desk = Desk(self.caller, self.services, self.closing, self.disconnected, call.id, call.use_names, self.until)
        self.desks.append(desk)
        return desk

    def leave(self) -> None:
        """Note that the client has gone, whichever of its calls it waited for."""
        for desk in self.desks:
            desk.left.set()

    async def conclude(self) -> None:
        """End every call once it is known whether the client took its answer, which it may say only after it was sent."""
        try:
            for desk in self.desks:
                if desk.once_answered and not await self._taken(desk):
                    desk.left.set()
        except BaseException:
            self.leave()
            raise
        finally:
            await self.end()

    async def end(self) -> None:
        """End every call, once the answer was sent; what one of them cannot do keeps no other from it."""
        with anyio.move_on_after(_END_SECONDS, shield=True):
            async with AsyncExitStack() as stack:
                for desk in reversed(self.desks):
                    stack.push_async_callback(desk.end)

    async def _taken(self, desk: Desk) -> bool:
        taken = False
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(end_at, self.closing, tasks.cancel_scope, name="tool call: relay")
            taken = await self.caller.uses.taken(desk.use_names)
            tasks.cancel_scope.cancel()
        return taken


def give_up(visits: Iterable[Visit], caller: Caller, read: Read) -> None:
    """Let the calls that a client cancels end as if it had gone.

    There are no sessions, so of several clients with one token that count their calls alike each may be meant. Whose
    wait ends too early gets its answer as a message; an answer that went to nobody would be lost.
    """
    for given in _cancelled(read):
        for visit in visits:
            for desk in visit.desks if visit.caller is caller else ():
                if type(desk.call) is type(given) and desk.call == given:
                    desk.left.set()


def _cancelled(read: Read) -> list[object]:
    found = [call for call in read.calls if isinstance(call, Call) and call.is_notification]
    return [given for one in found if one.method == _CANCELLED and (given := one.params.get("requestId")) is not None]
