"""The core's part of the schema: every section, its keys and their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from relaykit.config.records import AgentConfig, Config, OnInterrupted, Retention
from relaykit.model import Approval, Limits, Priority

Schema = Mapping[str, Any]

# The end is spelt so because $ would let a line break follow in Python's dialect, and \Z is not JSON Schema's.
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(?![\s\S])"
NAME_MEANS = "a name: letters, digits, '.', '_' and '-', at most 64 of them, the first a letter or digit"
ALIASES = {"guarded": Approval.ASK, "open": Approval.AUTO}
LISTEN_PATTERN = (
    r"^(off|auto|([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):"
    r"([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))(?![\s\S])"
)
_BIGGEST = 2**53
_YEAR = 365 * 86400


def table(properties: Mapping[str, Schema], description: str = "", **more: Any) -> dict[str, Any]:
    """Return the schema of a table with these keys and no others."""
    said = {"description": description} if description else {}
    return {"type": "object", **said, "additionalProperties": False, "properties": dict(properties), **more}


def value(kind: str, description: str, **more: Any) -> dict[str, Any]:
    """Return the schema of a value of that type."""
    return {"type": kind, "description": description, **more}


def _names(description: str) -> dict[str, Any]:
    items = {"type": "string", "pattern": NAME_PATTERN, "x-means": NAME_MEANS}
    return value("array", description, items=items, uniqueItems=True, default=[])


def _count(description: str, default: int) -> dict[str, Any]:
    return value("integer", description, minimum=1, maximum=_BIGGEST, default=default)


def _days(description: str, default: float) -> dict[str, Any]:
    return value("number", description, exclusiveMinimum=0, maximum=36_500, default=default)


def _default(record: Any, name: str) -> Any:
    """Return a record's own default, so that it is written once."""
    fields, defaults = record.__struct_fields__, record.__struct_defaults__
    return dict(zip(reversed(fields), reversed(defaults), strict=False))[name]


SCALARS: Mapping[str, Schema] = {
    "home": value("string", "The directory of mailbox, sessions and locks. Default: the platform's state directory."),
    "listen": value(
        "string",
        "Where the HTTP edge listens: auto (loopback, a free port, once an agent can use tools), off, or HOST:PORT.",
        pattern=LISTEN_PATTERN,
        default=_default(Config, "listen"),
        **{"x-means": "an address; write 'auto', 'off' or HOST:PORT, such as '127.0.0.1:4870'"},
    ),
    "synced": value(
        "boolean", "Whether local messages survive loss of power, too.", default=_default(Config, "synced")
    ),
    "drain_seconds": value(
        "number",
        "Seconds for which a stop waits for running turns before it interrupts them.",
        minimum=0,
        maximum=_YEAR,
        default=_default(Config, "drain_seconds"),
    ),
    "permission_hours": value(
        "number",
        "Hours after which a permission request that nobody answered is denied.",
        exclusiveMinimum=0,
        maximum=87_600,
        default=_default(Config, "permission_hours"),
    ),
}
"""The keys of ``[relay]`` that the environment can set."""

_LIMITS = Limits()
LIMITS = table(
    {
        "queued": _count("Messages that may wait for one recipient.", _LIMITS.queued),
        "queued_bytes": _count("Bytes that may wait for one recipient.", _LIMITS.queued_bytes),
        "message_bytes": _count("Bytes of one message.", _LIMITS.message_bytes),
        "hops": _count("Length of a chain of messages that cause each other.", _LIMITS.hops),
        "thread_automatic": _count(
            "Automatic messages in one hour of a thread with a foreign member.", _LIMITS.thread_automatic
        ),
    },
    "What may wait; over it a message is refused.",
)
RETENTION = table(
    {
        "settled_days": _days("Days that settled deliveries are kept.", _default(Retention, "settled_days")),
        "events_days": _days("Days that events are kept.", _default(Retention, "events_days")),
        "events_bytes": _count("Bytes of events that are kept for each agent.", _default(Retention, "events_bytes")),
        "keys_days": _days(
            "Days for which the id of a removed message is known, so that it is not taken twice.",
            _default(Retention, "keys_days"),
        ),
    },
    "How long things are kept.",
)
RELAY = table({**SCALARS, "limits": LIMITS, "retention": RETENTION}, "The relay itself.")

AGENT: Mapping[str, Schema] = {
    "cwd": value(
        "string", "The working directory; `~` is the user's home. Default: where relaykit is started.", minLength=1
    ),
    "label": value("string", "What `label:` addresses it by.", pattern=NAME_PATTERN, **{"x-means": NAME_MEANS}),
    "tags": _names("What `tag:` addresses it by."),
    "capabilities": _names("What `cap:` addresses it by."),
    "approval": value(
        "string",
        "What happens when it asks: ask (a person decides), auto (the relay approves, inside the workspace), "
        "read-only (it may read, all else is denied), deny. guarded is ask, open is auto.",
        enum=[*map(str, Approval), *ALIASES],
        default=str(_default(AgentConfig, "approval")),
    ),
    "priority": value(
        "string", "The priority of messages that say none: later, next or now.", enum=list(map(str, Priority))
    ),
    "profile": value("string", "The profile that it shares with others."),
    "prompt": value("string", "Put to it at each start of the relay, once it is ready.", minLength=1),
    "instructions": value("string", "Added to its system prompt, after the profile's.", default=""),
    "arguments": value("array", "Words for the provider's program.", items={"type": "string"}, default=[]),
    "session": value(
        "string", "A conversation of the provider's to go on with, where none was begun here.", minLength=1
    ),
    "on_interrupted": value(
        "string",
        "What becomes of a turn that was begun and cut off: continue (go on with it), redeliver, fail.",
        enum=list(get_args(OnInterrupted)),
        default=_default(AgentConfig, "on_interrupted"),
    ),
    "silence": value(
        "number",
        "Seconds without any sign of life after which a turn is looked into.",
        exclusiveMinimum=0,
        maximum=_YEAR,
        default=_default(AgentConfig, "silence"),
    ),
}
"""The keys of an agent, but provider and options, which depend on the plugins."""

PLUGINS = table(
    {
        "disabled": value(
            "array", "Plugins that are not loaded.", items={"type": "string"}, uniqueItems=True, default=[]
        )
    },
    "Which plugins are loaded.",
)
