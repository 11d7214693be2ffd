"""The stream of events of one agent."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anyio

from relaykit.errors import NotFoundError
from relaykit_signaldock.dock.envelope import good
from relaykit_signaldock.dock.feed import event
from relaykit_signaldock.dock.schemas import COUNT, described, record
from relaykit_signaldock.dock.shapes import moment

if TYPE_CHECKING:
    from starlette.responses import Response

    from relaykit.plugin import Receive, Scope, Send
    from relaykit_signaldock.dock.call import Call
    from relaykit_signaldock.dock.dock import Caller, Dock
    from relaykit_signaldock.dock.feed import Follower

_PAGE = 100
_END_SECONDS = 1.0
_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


@described(record({"connections": COUNT}))
async def status(call: Call) -> Response:
    """How many streams there are."""
    return good({"connections": call.dock.feed.streams})


class EventStream:
    """What is not acknowledged, then what arrives, with a sign of life now and then, until either side ends it.

    Nothing is written once the key that it was opened with is not good: the stream ends then.
    """

    def __init__(self, dock: Dock, caller: Caller, last_seen: str | None) -> None:
        self._dock = dock
        self._caller = caller
        self._agent = caller.name
        self._last_seen = last_seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream."""
        del scope
        await self._dock.presence.beat(self._agent)
        with self._dock.feed.follow(self._agent) as follower:
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_gone, receive, tasks.cancel_scope, name="stream: client")
                tasks.start_soon(_ended, follower, tasks.cancel_scope, name="stream: end")
                await self._run(follower, send)
        if follower.ended.is_set():
            with anyio.move_on_after(_END_SECONDS):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _run(self, follower: Follower, send: Send) -> None:
        async with aclosing(self._frames(follower)) as pieces:
            async for frames in pieces:
                if not self._dock.still_knows(self._caller):
                    break
                if frames:
                    await send({"type": "http.response.body", "body": frames, "more_body": True})
        follower.ended.set()

    async def _frames(self, follower: Follower) -> AsyncGenerator[bytes, None]:
        """Yield what is to be written, for ever."""
        yield event("connected", {"agentId": self._agent})
        last = await self._begin()
        while items := await self._dock.mailbox.unread(self._agent, after=last, limit=_PAGE):
            yield b"".join(self._dock.feed.frames(items))
            last = items[-1].delivery.id
        while True:
            with anyio.move_on_after(self._dock.settings.heartbeat_seconds) as patience:
                frames = await follower.next(last)
            if patience.cancelled_caught:
                yield event("heartbeat", {"timestamp": moment(self._dock.clock.now())})
                await self._dock.presence.beat(self._agent)
            else:
                yield frames

    async def _begin(self) -> int:
        """Return the number of the message that the client had last, if it says so and that is true."""
        return 0 if self._last_seen is None else await arrival(self._dock, self._agent, self._last_seen) or 0


async def arrival(dock: Dock, agent: str, message: str) -> int | None:
    """Return the number under which a message arrived for an agent; None where it did not."""
    try:
        trace = await dock.mailbox.trace(message)
    except NotFoundError:
        return None
    found = (one.id for one in trace.deliveries if one.recipient == agent and trace.message.id == message)
    return next(found, None)


async def _gone(receive: Receive, scope: anyio.CancelScope) -> None:
    event: dict[str, Any] = {}
    while event.get("type") != "http.disconnect":
        event = dict(await receive())
    scope.cancel()


async def _ended(follower: Follower, scope: anyio.CancelScope) -> None:
    await follower.ended.wait()
    scope.cancel()
