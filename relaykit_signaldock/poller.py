"""Looking for messages: the direct ones, and those of each group that mention the agent."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from relaykit.errors import StoreError, TransportError
from relaykit_signaldock.alarm import Alarm, back_off
from relaykit_signaldock.failures import DockError, SignedOutError
from relaykit_signaldock.protocol import Incoming, Page, says

if TYPE_CHECKING:
    from relaykit_signaldock.receiving import Receiver
    from relaykit_signaldock.shared import Shared

LARGEST = 200
"""Messages of one page that servers give at most."""
_PAGES = 20
"""Pages of one cycle; what is left then comes in the next, after the groups had their turn."""
_GROUP_PAGES = 1000
_STUCK_SECONDS = 86400.0
"""After which a message of a group that is not taken in no longer keeps the mark where it is."""


class Poller:
    """Looks for messages for ever, one cycle after the other.

    Attributes:
        streaming: Whether a stream is open, so that this is only for safety.
    """

    def __init__(self, shared: Shared, receiver: Receiver) -> None:
        self._account = shared.account
        self._options = shared.options
        self._client = shared.client
        self._receiver = receiver
        self._state = shared.state
        self._reporter = shared.reporter
        self._alarm = Alarm(shared.clock)
        self.streaming = False

    def look(self) -> None:
        """Look now."""
        self._alarm.ring()

    async def run(self) -> None:
        """Look for ever."""
        delays = back_off(self._account.poll_seconds, 60.0)
        while True:
            wait = self._options.safety_seconds if self.streaming else self._account.poll_seconds
            try:
                await self.cycle()
            except (TransportError, StoreError) as error:
                self._tell(error)
                wait = next(delays)
                wait = max(wait, error.retry_after or 0.0) if isinstance(error, TransportError) else wait
            else:
                delays = back_off(self._account.poll_seconds, 60.0)
                self._reporter.well("poll", f"{self._account.url} answers again")
            await self._alarm.wait(min(wait, self._receiver.next_try()))

    async def cycle(self) -> None:
        """Look once at everything."""
        await self._direct()
        for group in self._options.groups:
            try:
                await self._group(group)
            except SignedOutError:
                raise
            except DockError as error:
                if not error.final:
                    raise
                self._reporter.trouble(f"group {group}", f"group {group} cannot be read: {error}")
            else:
                self._reporter.well(f"group {group}", f"group {group} can be read again")

    def _tell(self, error: TransportError | StoreError) -> None:
        if not isinstance(error, SignedOutError):  # of that the client tells
            self._reporter.trouble("poll", f"nothing comes in now: {error}; trying again")

    async def _direct(self) -> None:
        """Take in page after page. What cannot be taken in stays at the server, and must not hide what is behind it."""
        size, most, since = self._options.page_size, LARGEST, None
        for _ in range(_PAGES):
            page, limit = await self._client.page("/messages/peek", size, **_given(since=since))
            size, most = limit, most if limit == size else limit
            fresh = await self._take_direct(page)
            if page.size < size:
                return
            if fresh:
                size, since = most, None
            elif size < most:
                size = most
            else:
                before, since = since, _cursor(page)
                if since == before:  # a server that does not go on
                    return
        self.look()

    async def _take_direct(self, page: Page) -> bool:
        """Take in a page; return whether the server has been told of any for the first time."""
        done = [message.id for message in page.messages if await self._is_done(message)]
        fresh = [one for one in done if one not in self._receiver.acknowledged]
        await self._receiver.acknowledge(done)
        for one in page.unread:
            self._reporter.trouble(f"message {one}", f"message {one} cannot be read; it stays at the server")
        return bool(fresh)

    async def _is_done(self, message: Incoming) -> bool:
        if message.group is not None and not self._is_meant(message):
            return True
        return await self._receiver.take(message)

    def _is_meant(self, message: Incoming) -> bool:
        return message.sender != self._account.agent and says(message.content, message.mentions, self._account.agent)

    async def _group(self, group: str) -> None:
        """Read back from the newest to the mark, then take in what mentions the agent, the oldest first."""
        mark = self._state.mark(group)
        newest, found = await self._since(group, mark)
        stuck = None
        for message in found:
            if not await self._receiver.take(message) and stuck is None:
                stuck = message.created
        if newest is not None and stuck is not None and newest - stuck < _STUCK_SECONDS:
            newest = min(newest, stuck)
        if newest is not None and newest != mark:
            self._state.set_mark(group, newest)

    async def _since(self, group: str, mark: float | None) -> tuple[float | None, list[Incoming]]:
        """Return the newest time in a group, and what mentions the agent since the mark; at first one page of it."""
        limit, first, offset = self._options.group_limit, None, 0
        path = f"/conversations/{quote(group, safe='')}/messages"
        found: dict[str, Incoming] = {}
        times: list[float] = []
        for _ in range(_GROUP_PAGES):
            page, limit = await self._client.page(path, limit, sort="desc", **_given(offset=offset or None))
            if not page.messages or page.messages[0].id == first:
                break
            first, offset = page.messages[0].id, offset + page.size
            times += [message.created for message in page.messages if message.created is not None]
            new = [one for one in page.messages if mark is None or one.created is None or one.created >= mark]
            found |= {message.key: message for message in new if self._is_meant(message)}
            enough = mark is None and offset >= self._options.group_limit
            if page.size < limit or enough or len(new) < len(page.messages):
                break
        backwards = list(found.values())
        backwards.reverse()  # of one second, too, the one that came first is taken in first
        return max(times, default=None), sorted(backwards, key=lambda message: message.created or 0.0)


def _cursor(page: Page) -> str | None:
    """Return the message to go on after: the last one of an earlier second than the last one's.

    Servers tell times to the second, and pass over what came later in the second of the one that is named.
    """
    if not page.messages:
        return None
    last = page.messages[-1]
    second = int(last.created or 0.0)
    earlier = [one.id for one in page.messages if one.created is not None and int(one.created) < second]
    return earlier[-1] if earlier else last.id


def _given(**params: object) -> dict[str, object]:
    return {name: value for name, value in params.items() if value is not None}
