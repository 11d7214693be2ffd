"""What an application hands to a relay in place of what the configuration would open."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from relaykit.plugin import (
    Clock,
    Component,
    CredentialStore,
    Mailbox,
    Provider,
    Router,
    SessionStore,
    StatusSink,
    Transport,
)
from relaykit.relay.edge import Edge


class Components(Struct, frozen=True, kw_only=True):
    """Ready-made components. Whoever made them closes them; the rest is opened from the configuration."""

    clock: Clock | None = None
    mailbox: Mailbox | None = None
    sessions: SessionStore | None = None
    credentials: CredentialStore | None = None
    providers: Mapping[str, Component[Provider]] = field(default_factory=dict)
    """By the name that agents use; they take precedence over what plugins offer."""
    transports: Mapping[str, Transport] = field(default_factory=dict)
    """By the name that addresses use; beside the configured ones."""
    routers: tuple[Router, ...] = ()
    """Asked before the configured ones."""
    sinks: Mapping[str, StatusSink] = field(default_factory=dict)
    """Beside the configured ones."""
    edge: Edge | None = None
    """The HTTP edge, by which agents have tools; ``relaykit.server.open`` brings it."""
