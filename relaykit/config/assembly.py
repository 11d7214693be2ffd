"""The whole schema: the core's part, and the options of every component that is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relaykit.config.profile_schema import PROFILE
from relaykit.config.sections import AGENT, NAME_MEANS, NAME_PATTERN, PLUGINS, RELAY, table
from relaykit.registry.kinds import (
    CREDENTIAL_STORE,
    KINDS,
    MAILBOX,
    PROVIDER,
    ROUTER,
    SESSION_STORE,
    STATUS_SINK,
    TRANSPORT,
    Kind,
)
from relaykit.registry.schema import Checker

if TYPE_CHECKING:
    from relaykit.registry import Registry

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAMED_USES: Mapping[str, Kind[Any]] = {"transports": TRANSPORT, "routers": ROUTER, "sinks": STATUS_SINK}
"""The sections that hold any number of uses, each under a name of its own."""
SINGLE_USES: Mapping[str, tuple[Kind[Any], str]] = {
    "credentials": (CREDENTIAL_STORE, "env"),
    "mailbox": (MAILBOX, "sqlite"),
    "sessions": (SESSION_STORE, "sqlite"),
}
"""The sections that are one use, with the component that is used where none is named."""
_ABOUT = {
    "transports": "What carries messages to and from the outside. `local` is always there.",
    "routers": "Who else is asked whom an address means, in this order. `address` is always there, and asked first.",
    "sinks": "What is told of events and status changes.",
    "credentials": "Where secrets are kept.",
    "mailbox": "Where messages are kept.",
    "sessions": "Where events are kept.",
}


def schema(registry: Registry) -> dict[str, Any]:
    """Return the JSON Schema (Draft 2020-12) of a configuration file, with the options of what is loaded."""
    sections: dict[str, Any] = {
        "relay": RELAY,
        "agents": _named("The agents, each under its id.", _agent(registry)),
        "profiles": _named("Profiles, each under its name.", PROFILE),
    }
    for section, kind in NAMED_USES.items():
        sections[section] = _named(_ABOUT[section], _use(registry, kind, None))
    for section, (kind, default) in SINGLE_USES.items():
        sections[section] = {"description": _ABOUT[section], **_use(registry, kind, default)}
    return {"$schema": DIALECT, "title": "relaykit", **table({**sections, "plugins": PLUGINS})}


def checker(registry: Registry) -> Checker:
    """Return what checks a whole configuration."""
    kinds = {kind.word: kind for kind in KINDS}
    return Checker(
        schema(registry),
        of="the configuration",
        explain=lambda word, name: registry.explain_missing(kinds[word], name),
    )


def _named(description: str, inner: Mapping[str, Any]) -> dict[str, Any]:
    names = {"pattern": NAME_PATTERN, "x-means": NAME_MEANS}
    return {"type": "object", "description": description, "propertyNames": names, "additionalProperties": inner}


def _agent(registry: Registry) -> dict[str, Any]:
    options = {"type": "object", "description": "The provider's own options."}
    choices = [
        _when("provider", name, {"properties": {"options": _standalone(PROVIDER, name, component.options_schema)}})
        for name, component in registry.providers.items()
    ]
    chosen = _choice(registry, PROVIDER, "The provider that runs it.")
    return table({"provider": chosen, **AGENT, "options": options}, required=["provider"], **_all_of(choices))


def _use(registry: Registry, kind: Kind[Any], default: str | None) -> dict[str, Any]:
    """Return the schema of a table that says what is used, with its options beside it."""
    use = _choice(registry, kind, f"The {kind} that is used.")
    if default is not None:
        use["default"] = default
    choices = []
    for name, component in registry.components(kind).items():
        options = _standalone(kind, name, component.options_schema)
        beside = {**options, "properties": {**options.get("properties", {}), "use": use}}
        choices.append(_when("use", name, beside))
    required = [] if default else ["use"]
    return {"type": "object", "required": required, "properties": {"use": use}, **_all_of(choices)}


def _choice(registry: Registry, kind: Kind[Any], description: str) -> dict[str, Any]:
    names = list(registry.components(kind))
    return {"type": "string", "description": description, "enum": names, "x-component": kind.word}


def _when(key: str, name: str, then: Mapping[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {key: {"const": name}}, "required": [key]}, "then": then}


def _all_of(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"allOf": choices} if choices else {}  # an empty list of them is no schema


def _standalone(kind: Kind[Any], name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a component's schema so that its own references still begin at itself."""
    if "$id" in options or not _refers(options):
        return dict(options)
    return {"$id": f"urn:relaykit:{kind.hook}:{name}", **options}


def _refers(schema: object) -> bool:
    if isinstance(schema, Mapping):
        return "$ref" in schema or any(map(_refers, schema.values()))
    return isinstance(schema, (list, tuple)) and any(map(_refers, schema))
