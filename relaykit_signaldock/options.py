"""The options of the transport."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

_DAY = 86400.0


def _option(kind: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "description": description, **more}


OPTIONS_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "url": _option(
            "string",
            "The server's address; without it the one in the credential.",
            pattern="^https?://[^/?#\\s]+[^?#\\s]*$",
        ),
        "agent": _option("string", "Who it signs in as; without it the one in the credential.", minLength=1),
        "credential": _option(
            "string",
            "Name of the credential with the key; without it the one of kind signaldock that was used last.",
            format="credential",
        ),
        "deliver_to": _option(
            "string", "Address here that gets what comes in; without it the agent's own name.", minLength=1
        ),
        "mode": _option(
            "string",
            "auto (the stream where there is one, else polling), sse (the same, and its absence is reported) or http "
            "(polling alone).",
            enum=["auto", "sse", "http"],
            default="auto",
        ),
        "groups": _option(
            "array",
            "Conversations of which those messages are taken in that mention the agent, or @all.",
            items={"type": "string", "minLength": 1},
            uniqueItems=True,
            default=[],
        ),
        "group_limit": _option("integer", "Messages of a group per request.", minimum=1, maximum=200, default=15),
        "page_size": _option("integer", "Direct messages per request.", minimum=1, maximum=200, default=50),
        "poll_seconds": _option(
            "number", "Seconds between two looks where no stream is open.", exclusiveMinimum=0, maximum=3600, default=5
        ),
        "safety_seconds": _option(
            "number", "The same while the stream is open.", exclusiveMinimum=0, maximum=3600, default=60
        ),
        "heartbeat_seconds": _option(
            "number", "Seconds between two signs of life; 0 sends none.", minimum=0, maximum=3600, default=30
        ),
        "key_days": _option(
            "number",
            "Days after which the key is rotated, where the store can be written to; 0 never.",
            minimum=0,
            maximum=3650,
            default=30,
        ),
        "key_overlap_seconds": _option(
            "number",
            "Seconds for which the old key is tried where a new one is refused.",
            minimum=0,
            maximum=3600,
            default=60,
        ),
        "timeout_seconds": _option(
            "number",
            "Seconds after which an unanswered request has failed.",
            exclusiveMinimum=0,
            maximum=600,
            default=10,
        ),
        "stream_auth": _option(
            "string",
            "How the stream signs in: header, or query for servers that want that; the key then stands in their logs.",
            enum=["header", "query"],
            default="header",
        ),
        "commands_from": _option(
            "array",
            "Agents at the server whose commands (shutdown, restart, …) are obeyed; those of others are messages.",
            items={"type": "string", "minLength": 1},
            uniqueItems=True,
            default=[],
        ),
        "allow_http": _option("boolean", "Whether the key may go to another machine unencrypted.", default=False),
    },
}
"""JSON Schema of the options."""


class Options(Struct, frozen=True, kw_only=True):
    """The options, checked; None is not said."""

    url: str | None = None
    agent: str | None = None
    credential: str | None = None
    deliver_to: str | None = None
    mode: str = "auto"
    groups: tuple[str, ...] = ()
    group_limit: int = 15
    page_size: int = 50
    poll_seconds: float | None = None
    safety_seconds: float = 60.0
    heartbeat_seconds: float = 30.0
    key_days: float = 30.0
    key_overlap_seconds: float = 60.0
    timeout_seconds: float = 10.0
    stream_auth: str = "header"
    commands_from: tuple[str, ...] = ()
    allow_http: bool = False

    @property
    def key_seconds(self) -> float:
        """The age at which a key is rotated; 0 is never."""
        return self.key_days * _DAY

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Options:
        """Take options that fit the schema."""
        lists = {name: tuple(options.get(name, ())) for name in ("groups", "commands_from")}
        return cls(**{**options, **lists})
