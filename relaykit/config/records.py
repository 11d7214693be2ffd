"""The configuration as records: what a relay is assembled from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field

from relaykit.model import Approval, Limits, Priority, Profile

OnInterrupted = Literal["continue", "redeliver", "fail"]


class UseConfig(Struct, frozen=True, kw_only=True):
    """One use of a component: which, and with what options."""

    name: str
    """What the configuration calls this use."""
    use: str
    """The component's name."""
    options: Mapping[str, Any] = field(default_factory=dict)


class AgentConfig(Struct, frozen=True, kw_only=True):
    """One agent."""

    id: str
    provider: str
    cwd: Path
    label: str | None = None
    tags: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    approval: Approval = Approval.ASK
    priority: Priority | None = None
    profile: str | None = None
    prompt: str | None = None
    """Put to the agent at each start of the relay, once it is ready."""
    instructions: str = ""
    """Added to the profile's."""
    arguments: tuple[str, ...] = ()
    """Words for the provider's program."""
    session: str | None = None
    """A conversation of the provider's to go on with, where none was begun here."""
    on_interrupted: OnInterrupted = "continue"
    """What becomes of a turn that was begun and cut off."""
    silence: float = 300.0
    """Seconds without any sign of life after which a turn is looked into."""
    options: Mapping[str, Any] = field(default_factory=dict)


class Retention(Struct, frozen=True, kw_only=True):
    """How long things are kept, in days."""

    settled_days: float = 30
    events_days: float = 14
    events_bytes: int = 2**30
    """Per agent."""
    keys_days: float = 90
    """The ids of removed messages, so that a late second put is still known."""


class PluginsConfig(Struct, frozen=True, kw_only=True):
    """Which plugins are loaded."""

    disabled: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    """From ``RELAYKIT_PLUGINS``: exactly these, and the built-in ones."""


class Config(Struct, frozen=True, kw_only=True):
    """All that a relay is assembled from."""

    home: Path
    agents: tuple[AgentConfig, ...] = ()
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    transports: tuple[UseConfig, ...] = (UseConfig(name="local", use="local"),)
    routers: tuple[UseConfig, ...] = (UseConfig(name="address", use="address"),)
    sinks: tuple[UseConfig, ...] = ()
    credentials: UseConfig = field(default_factory=lambda: UseConfig(name="credentials", use="env"))
    mailbox: UseConfig = field(default_factory=lambda: UseConfig(name="mailbox", use="sqlite"))
    sessions: UseConfig = field(default_factory=lambda: UseConfig(name="sessions", use="sqlite"))
    plugins: PluginsConfig = field(default_factory=PluginsConfig)
    origins: Mapping[str, str] = field(default_factory=dict)
    """Who said each transport, router and sink, by its place: ``sinks.log`` the file; empty where nobody did."""
    limits: Limits = field(default_factory=Limits)
    retention: Retention = field(default_factory=Retention)
    listen: str = "auto"
    """Where the HTTP edge listens: ``auto`` (loopback, a free port, once an agent can use tools), ``off``, HOST:PORT."""
    synced: bool = False
    """Sync local messages, too, against loss of power."""
    drain_seconds: float = 10.0
    """How long a stop waits for running turns before it interrupts them."""
    permission_hours: float = 24.0
    """After which an unanswered permission request is denied."""
