"""One running dock: what every request works with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from relaykit_signaldock.dock.endpoints import Reach
from relaykit_signaldock.dock.keys import digest
from relaykit_signaldock.dock.rates import Pace, Rates

if TYPE_CHECKING:
    from relaykit.model import Secret
    from relaykit.plugin import AttachmentStore, Clock, Mailbox
    from relaykit_signaldock.dock.feed import Feed
    from relaykit_signaldock.dock.presence import Presence
    from relaykit_signaldock.dock.routing import ConversationRouter
    from relaykit_signaldock.dock.store import Store
    from relaykit_signaldock.dock.syncing import Syncer
    from relaykit_signaldock.dock.webhooks import Webhooks


class Settings(Struct, frozen=True, kw_only=True):
    """How the dock was told to be."""

    base_url: str = ""
    """By which clients reach it; without it the address that each came to."""
    overlap_seconds: float = 60.0
    """For which an old key is good after a rotation: a poll interval at least."""
    open_registration: bool = False
    """Whether anyone may register an agent, not only the person at this machine."""
    heartbeat_seconds: float = 30.0
    """Between two signs of life in a stream."""
    webhooks: Reach = Reach.PUBLIC
    """How far webhooks reach."""


class Caller(Struct, frozen=True):
    """An agent whose key was good, or the person at this machine."""

    name: str
    requests: Pace
    key: str = ""
    """The hash of an agent's key."""
    is_person: bool = False


class Dock(Struct, frozen=True, kw_only=True):
    """One running dock."""

    mailbox: Mailbox
    store: Store
    syncer: Syncer
    attachments: AttachmentStore
    """What files hold; shared with the relays of this machine."""
    clock: Clock
    feed: Feed
    presence: Presence
    webhooks: Webhooks
    router: ConversationRouter
    settings: Settings
    rates: Rates
    person_token: Secret

    def authenticate(self, token: bytes) -> Caller | None:
        """Return whose token it is."""
        self.store.look()
        found = digest(token)
        if found == digest(self.person_token.reveal()):
            return Caller("", Pace(self.rates, ""), is_person=True)
        owner = self.store.owner(found, self.clock.now())
        return None if owner is None else Caller(owner, Pace(self.rates, owner), found)

    def still_knows(self, agent: Caller) -> bool:
        """Whether the key with which an agent came is good now; one of the same name may have another."""
        self.store.look()
        return self.store.owner(agent.key, self.clock.now()) == agent.name
