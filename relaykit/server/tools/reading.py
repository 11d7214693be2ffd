"""inbox and thread: only what the caller sent or got."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relaykit.errors import NotFoundError
from relaykit.server.tools.documents import item_document, messages_document
from relaykit.server.tools.making import count, flag, text, tool

if TYPE_CHECKING:
    from relaykit.server.desk import Desk

_LIMIT = 20


async def _inbox(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    items = await desk.mailbox.inbox(desk.caller.name, ended=said.get("ended", False), limit=said.get("limit", _LIMIT))
    return {"items": [item_document(item) for item in items]}


async def _thread(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    found = await desk.mailbox.thread(said["id"], desk.caller.name, limit=said.get("limit", _LIMIT))
    if not found:
        raise NotFoundError(f"you sent or got nothing in a thread {said['id']!r}; inbox shows the ids of threads")
    return {"messages": messages_document(found)}


INBOX = tool(
    "inbox",
    "What waits for you, in the order in which it comes to you; 'seen' is what you work on. Each comes to you by itself: "
    "look here only to plan, or to claim a task. Long texts are cut; thread has them whole.",
    {"ended": flag("The last ones that have ended, too."), "limit": count(f"How many; {_LIMIT} if not said.", 50)},
    _inbox,
    reads=True,
)
THREAD = tool(
    "thread",
    "The messages of a thread that you sent or got, oldest first.",
    {
        "id": text("The id of the thread, or of a message in it.", maxLength=200),
        "limit": count(f"How many, the last ones; {_LIMIT} if not said.", 50),
    },
    _thread,
    required=("id",),
    reads=True,
)
