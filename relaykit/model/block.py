"""One part of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import field

from relaykit.model.record import Record


class BlockKind(StrEnum):
    """What a block is."""

    USER_MESSAGE = "user_message"
    ASSISTANT_TEXT = "assistant_text"
    THINKING = "thinking"
    TOOL_USE = "tool_use"
    TOOL_RESULT = "tool_result"
    SUBAGENT = "subagent"
    SYSTEM = "system"
    ERROR = "error"


class Block(Record, frozen=True, kw_only=True):
    """One part of a conversation. Its id is the provider's, so it is the same whenever history is read."""

    id: str
    kind: BlockKind
    turn: str | None = None
    text: str = ""
    name: str = ""
    """The tool's, subagent's or system notice's name."""
    data: Mapping[str, object] = field(default_factory=dict)
    """What else the provider says: a tool's input, status, exit code; ``raw`` where the kind is not known."""
    conversation: str = "main"
    """``main``, or the id of the subagent whose conversation it belongs to."""
