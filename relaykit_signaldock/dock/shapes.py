"""Records as the wire shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from relaykit.model import State
from relaykit_signaldock.dock.extraction import merged
from relaykit_signaldock.dock.records import PLAIN, Annotation, DockAgent
from relaykit_signaldock.dock.routing import conversation_of

if TYPE_CHECKING:
    from relaykit.model import Agent, Attachment, Delivery, Message
    from relaykit_signaldock.dock.records import Conversation

Annotations = Mapping[str, Annotation]
_READ = {State.ACKNOWLEDGED: "read", State.ANSWERED: "read"}


def moment(at: float | None) -> str | None:
    """Return a time as the wire writes it."""
    return (
        None
        if at is None
        else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def instant(text: str) -> float | None:
    """Return the time that a text of ISO 8601 means; without an offset it is UTC. None where it means none."""
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))  # a plus sign that nobody escaped
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def without_nothing(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without what nothing is said of: the wire leaves that out."""
    return {name: value for name, value in document.items() if value is not None}


def agent(record: DockAgent, status: str, seen: float | None) -> dict[str, Any]:
    """Return an agent."""
    return without_nothing(
        {
            "id": record.id,
            "agentId": record.id,
            "name": record.name,
            "description": record.description or None,
            "class": record.kind,
            "privacyTier": record.privacy,
            "capabilities": list(record.capabilities),
            "skills": list(record.skills),
            "status": status,
            "isClaimed": record.is_claimed,
            "lastSeen": moment(seen),
            "createdAt": moment(record.created_at),
            "updatedAt": moment(record.updated_at),
        }
    )


def relayed(record: Agent) -> DockAgent:
    """Return an agent that a relay of this machine runs, as one of the dock's."""
    return DockAgent(
        id=record.id,
        name=record.label or record.id,
        kind="code_dev",
        capabilities=record.capabilities,
        skills=record.tags,
    )


def card(shape: Mapping[str, Any]) -> dict[str, Any]:
    """Return what everyone may see of an agent."""
    return {name: value for name, value in shape.items() if name not in ("id", "updatedAt")}


def message(
    record: Message, *, to: str | None = None, delivery: Delivery | None = None, said: Annotation = PLAIN
) -> dict[str, Any]:
    """Return a message; with its delivery as that recipient has it."""
    group = conversation_of(record.to)
    recipient = to or (delivery.recipient if delivery else None) or (group or record.to)
    ended = delivery.steps[-1].at if delivery and delivery.state.ended else None
    return without_nothing(
        {
            "id": record.id,
            "conversationId": record.thread,
            "fromAgentId": record.sender,
            "fromAgentName": record.sender,
            "toAgentId": recipient,
            "content": record.body,
            "contentType": said.content_type,
            "status": None if delivery is None else _READ.get(delivery.state, "pending"),
            "createdAt": moment(record.created_at),
            "readAt": moment(ended),
            "attachments": [attachment(record.id, one) for one in record.attachments],
            "groupId": record.id if group is not None else None,
            "metadata": merged(said.metadata, record.body) or None,
            "replyTo": record.in_reply_to[0] if record.in_reply_to else None,
        }
    )


def attachment(message: str, record: Attachment) -> dict[str, Any]:
    """Return a file that a message names."""
    return {
        "filename": record.name,
        "contentType": record.media_type,
        "size": record.size,
        "sha256": record.sha256,
        "url": f"/messages/{message}/attachments/{record.sha256}",
    }


def union(shape: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message as the stream sends it: in the words of every client that there is."""
    sender, conversation, created = shape["fromAgentId"], shape["conversationId"], shape["createdAt"]
    return {
        **shape,
        "messageId": shape["id"],
        "from": sender,
        "from_agent_id": sender,
        "conversation_id": conversation,
        "threadId": conversation,
        "created_at": created,
        "timestamp": created,
    }


def conversation(record: Conversation, last: Message | None, count: int | None = None) -> dict[str, Any]:
    """Return a conversation, with its last message."""
    created = moment(record.created_at)
    last_at = moment(last.created_at) if last else None
    return without_nothing(
        {
            "id": record.id,
            "participants": list(record.participants),
            "visibility": record.visibility,
            "messageCount": count,
            "lastMessageAt": last_at,
            "createdAt": created,
            "updatedAt": last_at or created,
        }
    )
