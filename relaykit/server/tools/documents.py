"""Records as agents read them: short keys, texts that are cut before they fill a context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relaykit.model import Delivery, InboxItem, Message, Task

EXCERPT = 500
"""Characters of a body in a list."""
WHOLE = 40_000
"""Characters of all bodies in one answer."""


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """Return what became of a message on its way to one recipient."""
    reason = {"reason": delivery.reason} if delivery.reason else {}
    return {"to": delivery.recipient, "state": delivery.state.value, **reason}


def message_document(message: Message, room: int, offset: int = 0) -> dict[str, Any]:
    """Return a message, its body from a character on, cut to the room that there is."""
    cut, end = {}, offset + room
    if len(message.body) > end:
        cut = {"cut": f"{len(message.body)} characters in all; thread with this id and offset {end} goes on"}
    attached = {"attached": [one.name for one in message.attachments]} if message.attachments else {}
    answers = {"answers": list(message.in_reply_to)} if message.in_reply_to else {}
    return {
        "id": message.id,
        "from": message.sender,
        "to": message.to,
        "thread": message.thread,
        "kind": message.kind.value,
        **answers,
        "body": message.body[offset:end],
        **cut,
        **attached,
    }


def messages_document(messages: Sequence[Message], room: int = WHOLE) -> list[dict[str, Any]]:
    """Return messages in order; where they are too long together, the last ones are whole."""
    found = []
    for message in reversed(messages):
        found.append(message_document(message, room))
        room = max(0, room - len(message.body))
    return found[::-1]


def item_document(item: InboxItem) -> dict[str, Any]:
    """Return what stands in an inbox."""
    task = {"task": task_document(item.task)} if item.task is not None else {}
    reactions = {"reactions": [f"{one.who}: {one.what}" for one in item.reactions]} if item.reactions else {}
    state = {"state": item.delivery.state.value, "priority": item.delivery.priority.value}
    return {**message_document(item.message, EXCERPT), **state, **task, **reactions}


def task_document(task: Task) -> dict[str, Any]:
    """Return a task."""
    more = {"agent": task.agent, "note": task.note}
    return {"title": task.title, "state": task.state.value, **{key: value for key, value in more.items() if value}}
