"""What codex tells of the uses of the relay's tools: an answer was taken once codex shows the use as done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.plugin.fields import table, text
from relaykit_codex.endpoint import NAME

if TYPE_CHECKING:
    from relaykit.plugin import ToolUses
    from relaykit.plugin.fields import Fields
    from relaykit_codex.protocol import Notification


def note_use(uses: ToolUses, told: Notification, thread: str) -> None:
    """Take in what a notification says of a use, or of the end of the thread's turn, with which all end.

    A use is an item, whose id the call has as ``callId`` (0.163 and 0.171, tried live).
    """
    match told.method:
        case "item/started" if _is_ours(item := table(told.params, "item")):
            uses.begin(text(item, "id"))
        case "item/completed" if _is_ours(item := table(told.params, "item")):
            uses.end(text(item, "id"), taken=text(item, "status") == "completed")
        case "turn/completed" if text(told.params, "threadId") in ("", thread):
            uses.drop()


def _is_ours(item: Fields) -> bool:
    return text(item, "type") == "mcpToolCall" and text(item, "server") == NAME
