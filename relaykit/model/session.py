"""One conversation of an agent with its provider, as the session store knows it."""

from __future__ import annotations

from relaykit.model.record import Record


class SessionRecord(Record, frozen=True, kw_only=True):
    """A session: its own history, named by the provider's id for it."""

    id: str
    agent: str
    provider: str
    cwd: str
    started_at: float
    ended_at: float | None = None
    last_number: int = 0
    """The number of its last durable event."""


class PastSession(Record, frozen=True, kw_only=True):
    """A conversation that a provider remembers, whoever began it."""

    id: str
    cwd: str
    title: str = ""
    """How it began, or what it was called."""
    updated_at: float = 0.0
    """Wall-clock seconds."""
