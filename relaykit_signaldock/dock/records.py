"""What the dock keeps of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DockAgent:
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
    secret: str = field(default="", repr=False)
    """What is posted is signed with; the endpoint's owner knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Who talks with whom, under one id."""

    id: str
    participants: tuple[str, ...]
    """Sorted."""
    visibility: str = "private"
    created_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A message that an endpoint did not take yet."""

    message: str
    attempts: int = 0
    due_at: float = 0.0
    """When it is posted again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that an endpoint did not take, and is not posted any more."""

    message: str
    attempts: int
    reason: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What a sender said of a message beside its text."""

    content_type: str = "text"
    metadata: Mapping[str, Any] = field(default_factory=dict)


PLAIN = Annotation()
