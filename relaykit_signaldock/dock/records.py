"""What the dock keeps of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from relaykit.model import shown_without

CLASSES = frozenset(
    [
        "personal_assistant",
        "code_dev",
        "research",
        "orchestrator",
        "security",
        "devops",
        "data",
        "creative",
        "support",
        "testing",
        "documentation",
        "utility_bot",
        "custom",
    ]
)
TIERS = frozenset({"public", "discoverable", "private"})
CONTENT_TYPES = frozenset(["text", "image", "file", "video", "audio", "link", "rich_text", "mixed"])


class DockAgent(Struct, frozen=True, kw_only=True):
    """An agent that signs in here."""

    id: str
    name: str
    description: str = ""
    kind: str = "custom"
    """Its class, of ``CLASSES``."""
    privacy: str = "public"
    capabilities: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    is_claimed: bool = False
    created_at: float = 0.0
    updated_at: float = 0.0
    endpoint: str = ""
    """Where its messages are posted while it is on no stream; empty is nowhere."""
    secret: str = ""
    """What is posted is signed with; the endpoint's owner knows it."""

    def __repr__(self) -> str:
        return shown_without(self, "secret")


class Conversation(Struct, frozen=True, kw_only=True):
    """Who talks with whom, under one id."""

    id: str
    participants: tuple[str, ...]
    """Sorted."""
    visibility: str = "private"
    created_at: float = 0.0


class Job(Struct, frozen=True, kw_only=True):
    """A message that an endpoint did not take yet."""

    message: str
    attempts: int = 0
    due_at: float = 0.0
    """When it is posted again."""


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A message that an endpoint did not take, and is not posted any more."""

    message: str
    attempts: int
    reason: str
    at: float


class Annotation(Struct, frozen=True, kw_only=True):
    """What a sender said of a message beside its text."""

    content_type: str = "text"
    metadata: Mapping[str, Any] = field(default_factory=dict)


PLAIN = Annotation()
