"""inbox and thread: only what the caller sent or got."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from relaykit.errors import NotFoundError
from relaykit.server.tools.documents import WHOLE, item_document, message_document, messages_document
from relaykit.server.tools.making import count, flag, place, text, tool

if TYPE_CHECKING:
    from relaykit.model import Message, Trace
    from relaykit.server.desk import Desk

_LIMIT = 20


async def _inbox(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    limit = said.get("limit", _LIMIT)
    items = await desk.mailbox.inbox(desk.caller.name, ended=said.get("ended", False), limit=limit + 1)
    waiting = [item for item in items if not item.delivery.state.ended]
    ended = [item for item in items if item.delivery.state.ended]
    more = {"more": f"more than {limit} wait"} if len(waiting) > limit else {}
    return {"items": [item_document(item) for item in (*waiting[:limit], *ended[-limit:])], **more}


async def _thread(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    if "offset" in said:
        message = await _one(desk, said["id"])
        return {"messages": [message_document(message, WHOLE, said["offset"])]}
    found = await desk.mailbox.thread(said["id"], desk.caller.name, limit=said.get("limit", _LIMIT))
    if not found:
        raise NotFoundError(f"you sent or got nothing in a thread {said['id']!r}; inbox shows the ids of threads")
    return {"messages": messages_document(found)}


async def _one(desk: Desk, id: str) -> Message:
    """Return one message that the caller sent or got; what the mailbox says of half an id would name others."""
    found = None
    with suppress(NotFoundError):
        found = await desk.mailbox.trace(id)
    if found is None or found.message.id != id or desk.caller.name not in _parties(found):
        raise NotFoundError(f"you sent or got no message {id!r}; offset wants the whole id of one")
    return found.message


def _parties(trace: Trace) -> set[str]:
    return {trace.message.sender, *(one.recipient for one in trace.deliveries)}


INBOX = tool(
    "inbox",
    "What waits for you, in the order in which it comes to you; 'seen' is what you work on. Each comes to you by itself: "
    "look here only to plan, or to claim a task. Long texts are cut; thread reads on.",
    {"ended": flag("The last ones that have ended, too."), "limit": count(f"How many; {_LIMIT} if not said.", 50)},
    _inbox,
    reads=True,
)
THREAD = tool(
    "thread",
    f"The messages of a thread that you sent or got, oldest first, at most {WHOLE} characters: of what is cut, offset "
    "shows more.",
    {
        "id": text("The id of the thread, or of a message in it.", maxLength=200),
        "limit": count(f"How many, the last ones; {_LIMIT} if not said.", 50),
        "offset": place("Show one message alone, whose id this is, from this character on."),
    },
    _thread,
    required=("id",),
    reads=True,
)
