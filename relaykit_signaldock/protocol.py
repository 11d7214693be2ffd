"""The wire without input or output: what servers send, in every shape that there is, as records of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from relaykit_signaldock.sse import Frame

_MILLISECONDS = 10**11
"""A number of seconds as large as this is one of milliseconds: the year 5138 in the one, 1973 in the other."""
_SILENT = {"heartbeat", "ping", "connected"}


class ShapeError(ValueError):
    """The other side sent what nothing here can mean."""


class Attached(Struct, frozen=True, kw_only=True):
    """A file of a message, as far as the server says what it is."""

    name: str
    media_type: str | None = None
    size: int | None = None
    sha256: str | None = None
    url: str | None = None


class Incoming(Struct, frozen=True, kw_only=True):
    """A message as the server has it."""

    id: str
    """The server's id of the recipient's copy: what is acknowledged."""
    sender: str
    content: str
    conversation: str | None = None
    group: str | None = None
    """What all copies of a message to a group share: listings of a conversation and the recipient's own queue name
    different copies of one message."""
    reply_to: str | None = None
    created: float | None = None
    """Wall-clock seconds, by the server's clock."""
    mentions: tuple[str, ...] = ()
    attachments: tuple[Attached, ...] = ()
    command: Mapping[str, Any] | None = None
    """What stands as ``command`` in its metadata."""

    @property
    def key(self) -> str:
        """The id under which it is stored once, whatever way it came."""
        return self.group or self.id


class Page(Struct, frozen=True, kw_only=True):
    """What one look at the server showed."""

    messages: tuple[Incoming, ...]
    size: int
    """How many there were, those that cannot be read, too."""
    unread: tuple[str, ...]
    """The ids of those that cannot be read."""


class Sent(Struct, frozen=True, kw_only=True):
    """What the server says of a message that it took."""

    id: str | None
    conversation: str | None


def document(body: bytes) -> Mapping[str, Any]:
    """Return what an answer holds, out of its envelope; ShapeError."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise ShapeError("the answer is no JSON") from None
    if not isinstance(said, dict):
        raise ShapeError("the answer is no JSON object")
    data = said.get("data")
    return data if isinstance(data, dict) else said


def page(body: bytes) -> Page:
    """Return the messages of an answer; one that cannot be read spoils none of the others. ShapeError."""
    rows = document(body).get("messages")
    if not isinstance(rows, list):
        raise ShapeError("the answer has no list of messages")
    read = [(row, incoming(row)) for row in rows]
    unread = (_text(row, "id", "messageId") for row, message in read if message is None and isinstance(row, dict))
    return Page(
        messages=tuple(message for _, message in read if message is not None),
        size=len(rows),
        unread=tuple(one for one in unread if one),
    )


def incoming(row: object, frame_id: str | None = None) -> Incoming | None:
    """Return a message of any of the shapes that servers send; None where it has no id, sender or content."""
    if not isinstance(row, dict):
        return None
    name = _text(row, "messageId", "id") or frame_id
    sender = _text(row, "fromAgentId", "from_agent_id", "from") or _text(row.get("from"), "agentId", "id")
    content = row.get("content")
    if not name or not sender or not isinstance(content, str):
        return None
    metadata = _mapping(row.get("metadata")) or {}
    return Incoming(
        id=name,
        sender=sender,
        content=content,
        conversation=_text(row, "conversationId", "conversation_id", "threadId"),
        group=_text(row, "groupId", "group_id"),
        reply_to=_text(row, "replyTo", "reply_to"),
        created=moment(row.get("createdAt", row.get("created_at", row.get("timestamp")))),
        mentions=tuple(_texts(metadata.get("mentions"))),
        command=_mapping(metadata.get("command")),
        attachments=tuple(map(_attached, _list(row.get("attachments")))),
    )


def is_silent(frame: Frame) -> bool:
    """Whether a frame only says that the stream lives."""
    if frame.event in _SILENT:
        return True
    try:
        row = json.loads(frame.data)
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and row.get("type") in _SILENT and "content" not in row


def streamed(frame: Frame) -> Incoming | None:
    """Return the message of a frame; None where it cannot be read."""
    try:
        row = json.loads(frame.data)
    except (ValueError, RecursionError):
        return None
    return incoming(row, frame.id if frame.named else None)


def sent(body: bytes) -> Sent:
    """Return what the server says of a message that it took: it took it, whatever it says."""
    try:
        about = document(body)
    except ShapeError:
        return Sent(id=None, conversation=None)
    inner = about.get("message")
    row = inner if isinstance(inner, dict) else about
    return Sent(id=_text(row, "id", "messageId"), conversation=_text(row, "conversationId", "conversation_id"))


def new_key(body: bytes) -> str:
    """Return the key that a rotation made; ShapeError, which never shows it."""
    key = document(body).get("apiKey")
    if not isinstance(key, str) or not is_key(key):
        raise ShapeError("the answer to the rotation has no key")
    return key


def is_key(key: str) -> bool:
    """Whether a key can stand in a header."""
    return bool(re.fullmatch(r"[!-~]+", key))


def says(text: str, names: tuple[str, ...], agent: str) -> bool:
    """Whether a message of a group is for an agent: ``@agent`` or ``@all``, in its text or among its mentions."""
    if {"all", agent.lower()} & {name.lower().removeprefix("@") for name in names}:
        return True
    return bool(re.search(rf"(?<![\w@.-])@(?:{re.escape(agent)}|all)(?![\w-])", text, re.IGNORECASE))


def moment(value: object) -> float | None:
    """Return a time, of ISO 8601 or as a number, as wall-clock seconds."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value / 1000 if value >= _MILLISECONDS else float(value)
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _text(row: object, *keys: str) -> str | None:
    for key in keys:
        value = row.get(key) if isinstance(row, dict) else None
        if isinstance(value, str) and value:
            return value
    return None


def _texts(value: object) -> Iterator[str]:
    return (one for one in _list(value) if isinstance(one, str))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any] | None:
    return value if isinstance(value, dict) else None


def _attached(row: object) -> Attached:
    name = row if isinstance(row, str) else _text(row, "filename", "name", "id", "url")
    size = row.get("size") if isinstance(row, dict) else None
    return Attached(
        name=name or "without a name",
        media_type=_text(row, "contentType", "mediaType", "mimeType"),
        size=size if isinstance(size, int) and not isinstance(size, bool) else None,
        sha256=_text(row, "sha256"),
        url=_text(row, "url"),
    )
