"""What is sent to the dock and what it answers, as JSON Schema: the document of its paths is made from these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct, field

from relaykit.model import NAME
from relaykit_signaldock.dock.endpoints import MOST_CHARACTERS
from relaykit_signaldock.dock.records import CLASSES, CONTENT_TYPES, TIERS

if TYPE_CHECKING:
    from relaykit_signaldock.dock.call import Call

Schema = Mapping[str, Any]
H = TypeVar("H", bound="Callable[[Call], Awaitable[Any]]")


class About(Struct, frozen=True, kw_only=True):
    """What one method of one path takes and gives."""

    gives: Schema = field(default_factory=lambda: {"type": "object"})
    """Its ``data``."""
    status: int = 200
    takes: Schema | None = None
    """Its body."""
    asks: Sequence[Schema] = ()
    """Parameters, besides those of the path."""
    streams: bool = False
    """Whether it answers with events instead."""
    takes_bytes: bool = False
    """Whether its body is a file as it is."""
    gives_bytes: bool = False
    """Whether its answer is a file as it is."""


def described(
    gives: Schema,
    *,
    status: int = 200,
    takes: Schema | None = None,
    asks: Sequence[Schema] = (),
    streams: bool = False,
    takes_bytes: bool = False,
) -> Callable[[H], H]:
    """Say of a handler what it takes and gives."""

    def give(handler: H) -> H:
        handler.__dict__["about"] = About(
            gives=gives, status=status, takes=takes, asks=asks, streams=streams, takes_bytes=takes_bytes
        )
        return handler

    return give


def gives_bytes(handler: H) -> H:
    """Say of a handler that it answers with a file as it is."""
    handler.__dict__["about"] = About(gives_bytes=True)
    return handler


def record(needed: Mapping[str, Schema], may: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of an object of the dock's own, which has nothing else."""
    return {
        "type": "object",
        "properties": {**needed, **(may or {})},
        "required": list(needed),
        "additionalProperties": False,
    }


def body(needed: Mapping[str, Schema], may: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of a body: what may be there may be null as well, and what is not known is passed over."""
    loose = {name: {"anyOf": [schema, {"type": "null"}]} for name, schema in (may or {}).items()}
    return {"type": "object", "properties": {**needed, **loose}, "required": list(needed)}


def many(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def asked(name: str, schema: Schema, *, where: str = "query") -> Schema:
    """Return a parameter that may be left out."""
    return {"name": name, "in": where, "required": False, "schema": schema}


def needed(name: str, schema: Schema) -> Schema:
    """Return a parameter of the query that has to be there."""
    return {"name": name, "in": "query", "required": True, "schema": schema}


def _one_of(words: frozenset[str]) -> Schema:
    return {"type": "string", "enum": sorted(words)}


TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
FREE: Schema = {"type": "object"}
STATUS = _one_of(frozenset({"online", "offline", "busy"}))
AGENT: Schema = {"$ref": "#/components/schemas/Agent"}
MESSAGE: Schema = {"$ref": "#/components/schemas/Message"}
CONVERSATION: Schema = {"$ref": "#/components/schemas/Conversation"}
KIT: Schema = {"$ref": "#/components/schemas/ConnectionKit"}

_CARD: Mapping[str, Schema] = {
    "agentId": TEXT,
    "name": TEXT,
    "class": _one_of(CLASSES),
    "privacyTier": _one_of(TIERS),
    "capabilities": many(TEXT),
    "skills": many(TEXT),
    "status": STATUS,
    "isClaimed": FLAG,
    "createdAt": MOMENT,
}
CARD = record(_CARD, {"description": TEXT, "lastSeen": MOMENT})
KEY = record({"agentId": TEXT, "apiKey": TEXT}, {"oldKeyExpiresAt": MOMENT})
UNREAD = many(record({"conversationId": TEXT, "unreadCount": COUNT}, {"fromAgentId": TEXT}))
PAGED: Mapping[str, Schema] = {"page": {"type": "integer", "minimum": 1}, "limit": {"type": "integer", "minimum": 1}}

_ENDPOINTS: Mapping[str, Schema] = {"pollEndpoint": TEXT, "sseEndpoint": TEXT}
COMPONENTS: Mapping[str, Schema] = {
    "Agent": record(
        {"id": TEXT, **_CARD, "updatedAt": MOMENT},
        {"description": TEXT, "lastSeen": MOMENT},
    ),
    "Message": record(
        {
            "id": TEXT,
            "conversationId": TEXT,
            "fromAgentId": TEXT,
            "toAgentId": TEXT,
            "content": TEXT,
            "contentType": _one_of(CONTENT_TYPES),
            "createdAt": MOMENT,
        },
        {
            "fromAgentName": TEXT,
            "status": _one_of(frozenset({"pending", "delivered", "read"})),
            "readAt": MOMENT,
            "attachments": many(
                record({"filename": TEXT, "contentType": TEXT, "size": COUNT, "sha256": TEXT, "url": TEXT})
            ),
            "groupId": TEXT,
            "metadata": FREE,
            "replyTo": TEXT,
        },
    ),
    "Conversation": record(
        {
            "id": TEXT,
            "participants": many(TEXT),
            "visibility": _one_of(frozenset({"private", "public", "shared"})),
            "createdAt": MOMENT,
            "updatedAt": MOMENT,
        },
        {"messageCount": COUNT, "lastMessageAt": MOMENT},
    ),
    "ConnectionKit": record(
        {
            "apiBase": TEXT,
            "authHeader": TEXT,
            **_ENDPOINTS,
            "claimUrl": TEXT,
            "docsUrl": TEXT,
            "configTemplate": record({"agentId": TEXT, "apiKey": TEXT, "apiBaseUrl": TEXT, **_ENDPOINTS}),
        }
    ),
    "Error": record(
        {
            "success": {"const": False},
            "error": record(
                {"code": TEXT, "message": TEXT, "category": TEXT, "retryable": FLAG},
                {"retry_after_ms": COUNT, "details": FREE},
            ),
        }
    ),
}

_WORDS: Schema = {"type": "array", "items": TEXT, "maxItems": 100}
NAME_CHARACTERS, SECRET_CHARACTERS = 200, 200
DESCRIPTION_CHARACTERS = 10_000
DESCRIPTION: Mapping[str, Schema] = {
    "name": {"type": "string", "maxLength": NAME_CHARACTERS},
    "description": {"type": "string", "maxLength": DESCRIPTION_CHARACTERS},
    "class": _one_of(CLASSES),
    "privacyTier": _one_of(TIERS),
    "capabilities": _WORDS,
    "skills": _WORDS,
    "endpoint": {"type": "string", "maxLength": MOST_CHARACTERS},
    "webhookSecret": {"type": "string", "maxLength": SECRET_CHARACTERS},
}
NAMED: Schema = {"type": "string", "pattern": f"^{NAME.pattern}$"}
SAID: Mapping[str, Schema] = {
    "contentType": _one_of(CONTENT_TYPES),
    "metadata": FREE,
    "replyTo": TEXT,
    "attachments": many(body({"sha256": TEXT, "filename": TEXT}, {"contentType": TEXT})),
}
"""What may be said of a message beside its text."""

LIMIT = asked("limit", PAGED["limit"])
PAGE = asked("page", PAGED["page"])
MENTIONED = asked("mentioned", TEXT)
AFTER = asked("after", MOMENT)
WAITING = (LIMIT, asked("since", TEXT), AFTER, MENTIONED)
"""Of what waits."""
IDEMPOTENCY = asked("Idempotency-Key", TEXT, where="header")
