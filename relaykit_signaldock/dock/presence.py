"""How agents are: what they said, while they give signs of life."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.model import OFFLINE, Report, Status, StatusKind

if TYPE_CHECKING:
    from relaykit.model import DirectoryEntry
    from relaykit.plugin import Clock, Mailbox
    from relaykit_signaldock.dock.store import Store

STALE_SECONDS = 180.0
"""After which an agent that gave no sign of life counts as offline."""
RELAY_STALE_SECONDS = 30.0
_KINDS = {"online": StatusKind.IDLE, "busy": StatusKind.BUSY, "offline": StatusKind.OFFLINE}
WORDS = {StatusKind.IDLE: "online", StatusKind.BUSY: "busy", StatusKind.OFFLINE: "offline", StatusKind.ERROR: "offline"}
"""What the wire calls how an agent is."""


class Presence:
    """Keeps how agents are in the directory, where relays see it."""

    def __init__(self, mailbox: Mailbox, store: Store, clock: Clock) -> None:
        self._mailbox = mailbox
        self._store = store
        self._clock = clock
        self._seen = dict(store.last_seen())
        self._said: dict[str, str] = {}
        """What the directory holds of those that came since the dock began."""

    def seen(self, agent: str) -> float | None:
        """Return when an agent last gave a sign of life."""
        return self._seen.get(agent)

    async def say(self, agent: str, word: str) -> None:
        """Note that an agent is ``online``, ``busy`` or ``offline``."""
        now = self._clock.now()
        self._seen[agent] = now
        self._store.seen(agent, now)
        if self._said.get(agent) != word:
            status = Status(kind=_KINDS[word], reason=word, since=now)
            await self._note(agent, status)
            self._said[agent] = word

    async def beat(self, agent: str) -> None:
        """Note a sign of life: whoever was offline is online."""
        await self.say(agent, "busy" if self._said.get(agent) == "busy" else "online")

    async def rest(self) -> None:
        """Put those down as offline that gave no sign of life for long."""
        for entry in await self._mailbox.agents():
            name = entry.agent.id
            if entry.agent.reads_inbox and entry.status.kind is not StatusKind.OFFLINE and self._is_silent(name):
                self._said.pop(name, None)
                await self._note(name, Status(kind=StatusKind.OFFLINE, reason="silent", since=self._clock.now()))

    async def word(self, entry: DirectoryEntry) -> str:
        """Return how an agent is; that of a relay is offline where its relay gives no sign of life."""
        if entry.agent.reads_inbox or entry.status.kind is StatusKind.OFFLINE:
            return WORDS[entry.status.kind]
        boot, now = self._clock.boot_id(), self._clock.boot()
        for relay in await self._mailbox.relays():
            if relay.incarnation == entry.owner and relay.boot == boot and now - relay.beat <= RELAY_STALE_SECONDS:
                return WORDS[entry.status.kind]
        return WORDS[OFFLINE.kind]

    def forget(self, agent: str) -> None:
        """The agent is gone."""
        self._seen.pop(agent, None)
        self._said.pop(agent, None)

    def _is_silent(self, agent: str) -> bool:
        return self._clock.now() - self._seen.get(agent, 0.0) > STALE_SECONDS

    async def _note(self, agent: str, status: Status) -> None:
        await self._mailbox.note([], Report(agent=agent, epoch=0, status=status, pid=None, session=None))
