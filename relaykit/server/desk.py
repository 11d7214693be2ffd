"""What one call of a tool works with: who called, the relay, and when nobody waits for the answer any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from math import inf
from typing import TYPE_CHECKING, TypeVar

import anyio
from msgspec import Struct, field

from relaykit.errors import RefusedError, RelaykitError
from relaykit.relay.watching import concerned

if TYPE_CHECKING:
    from relaykit.model import Trace
    from relaykit.plugin import Mailbox
    from relaykit.relay.services import Services
    from relaykit.server.jsonrpc import Id
    from relaykit.server.passes import Caller

T = TypeVar("T")
Act = Callable[[], Awaitable[None]]
MAX_WAIT = 50.0
"""Seconds: providers give a tool a minute."""


class Desk(Struct, eq=False):
    """What one call works with."""

    caller: Caller
    services: Services
    closing: anyio.Event
    """Set when the relay stops: nothing waits any longer."""
    disconnected: Callable[[], Awaitable[None]]
    """Returns once the client has gone."""
    call: Id = None
    """By which the client names the call when it gives it up."""
    use_names: Sequence[str] = ()
    """By one of which the session may tell of the use that the call is for."""
    until: float = inf
    """The time of the event loop at which the waits of its request are over."""
    left: anyio.Event = field(default_factory=anyio.Event)
    """Set when the client has gone, or has given this call up: it takes no answer any more."""
    once_answered: list[Act] = field(default_factory=list)
    """What is done once the client has its answer, and not where it left."""
    at_end: list[Act] = field(default_factory=list)
    """What is done after that, whatever became of the client."""

    @property
    def mailbox(self) -> Mailbox:
        """The relay's."""
        return self.services.mailbox

    async def wait(self, message: str, seconds: float, is_over: Callable[[Trace], bool]) -> Trace | None:
        """Return a message's trace once it is over, or None: it was not in that time, or nobody waits any more."""
        left = max(0.0, self.until - anyio.current_time())
        return await self.hear_out(partial(self._until, message, is_over), min(seconds, left))

    async def hear_out(self, answer: Callable[[], Awaitable[T]], seconds: float = inf) -> T | None:
        """Return what a call returns, or None: it took longer, the client left, or the relay stops."""
        found: T | None = None
        failure: RelaykitError | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._notice, name="tool call: client")
            tasks.start_soon(end_at, self.left, tasks.cancel_scope, name="tool call: given up")
            tasks.start_soon(end_at, self.closing, tasks.cancel_scope, name="tool call: relay")
            try:
                with anyio.move_on_after(seconds):
                    found = await answer()
            except RelaykitError as error:  # a task group would wrap it
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return None if self.left.is_set() else found

    async def end(self) -> None:
        """Do what is left to do once an answer was sent, if there was still somebody to take it."""
        try:
            for act in () if self.left.is_set() else self.once_answered:
                await act()
        finally:
            for act in self.at_end:
                await act()

    async def _until(self, message: str, is_over: Callable[[Trace], bool]) -> Trace:
        async with self.mailbox.watch() as watch:
            while not is_over(trace := await self.mailbox.trace(message)):
                await concerned(watch, trace.message.sender)
            return trace

    async def _notice(self) -> None:
        await self.disconnected()
        self.left.set()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Have a place among those of the caller that wait, taken before what is waited for is begun; RefusedError."""
        if self.caller.waits_left <= 0:
            raise RefusedError("too many of your calls wait already; let one of them end, or do not wait")
        self.caller.waits_left -= 1
        try:
            yield
        finally:
            self.caller.waits_left += 1


async def end_at(event: anyio.Event, scope: anyio.CancelScope) -> None:
    """Cancel a scope once an event is set."""
    await event.wait()
    scope.cancel()
