"""docs/reference/configuration.md, from the schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relaykit.config import schema
from relaykit.config.sections import SCALARS
from relaykit.config.toml import value_text
from relaykit.registry import PROVIDER, Registry, discover, load
from relaykit.registry.kinds import (
    CREDENTIAL_STORE,
    KINDS,
    MAILBOX,
    ROUTER,
    SESSION_STORE,
    STATUS_SINK,
    TRANSPORT,
    Kind,
)

OURS = {"relaykit", "relaykit-claude", "relaykit-codex", "relaykit-signaldock"}
WHERE = {
    ROUTER: "[routers.NAME]",
    PROVIDER: "[agents.NAME.options]",
    TRANSPORT: "[transports.NAME]",
    STATUS_SINK: "[sinks.NAME]",
    CREDENTIAL_STORE: "[credentials]",
    MAILBOX: "[mailbox]",
    SESSION_STORE: "[sessions]",
}
HEAD = """\
# Configuration

<!-- Written by scripts/gen_reference.py from the schema. Do not edit. -->

A configuration is a TOML file: the one of `--config`, else `relaykit.toml` in the directory where relaykit is
started, else the user's own, `relaykit/config.toml` in the platform's directory for configurations (on Linux
`~/.config`). It may be missing. Later ones win: defaults, the file, the environment, options of the command line.
`relaykit config check` tells every problem at once, `relaykit config show` what is in force and who said it,
`relaykit config schema` prints the JSON Schema for editors.

A secret never stands in a configuration. It is kept in the credential store, and an option whose type is
*credential* holds its name; a key that looks like one for a secret is refused. A relative path begins at the file
that says it, one from the command line or the environment where the command is given; `~` is the user's home.
"""
ENVIRONMENT = """\
## Environment

| variable | sets |
|---|---|
| `RELAYKIT_HOME` | `relay.home` |
{rows}
| `RELAYKIT_PLUGINS` | the plugins that are loaded beside the built-in ones, with commas between them; empty means none |
| `RELAYKIT_TRACE_PLUGINS` | `1` prints every hook call, its plugin and what it returned, on standard error |
"""


def page() -> str:
    """Return the whole page."""
    registry = load(found=[plugin for plugin in discover() if plugin.distribution in OURS])
    return "\n".join([HEAD, *_sections(schema(registry)["properties"]), *_components(registry), _environment()])


def _sections(sections: Mapping[str, Any]) -> Iterator[str]:
    for name, section in sections.items():
        inner = section.get("additionalProperties")
        named = isinstance(inner, Mapping)
        yield from _table(
            f"{name}.NAME" if named else name, inner if named else section, section.get("description", "")
        )


def _table(header: str, section: Mapping[str, Any], about: str) -> Iterator[str]:
    keys = section["properties"]
    tables = {key: inner for key, inner in keys.items() if inner.get("additionalProperties") is False}
    named = {key: inner for key, inner in keys.items() if "properties" in _other(inner) and _is_table(_other(inner))}
    plain = {key: inner for key, inner in keys.items() if key not in tables | named}
    yield f"## `[{header}]`\n\n{about}\n\n{_rows(plain, section.get('required', ()))}"
    for key, inner in tables.items():
        yield from _table(f"{header}.{key}", inner, inner.get("description", ""))
    for key, inner in named.items():
        yield from _table(f"{header}.{key}.NAME", _other(inner), inner.get("description", ""))
    for key, inner in keys.items():
        if _is_table(rows := inner.get("items", {})):
            yield from _table(f"[{header}.{key}]", rows, inner.get("description", ""))


def _other(inner: Mapping[str, Any]) -> Mapping[str, Any]:
    other = inner.get("additionalProperties")
    return other if isinstance(other, Mapping) else {}


def _is_table(inner: Mapping[str, Any]) -> bool:
    return inner.get("type") == "object"


def _components(registry: Registry) -> Iterator[str]:
    yield "## Options of the components\n\nThey stand beside `use`; a provider's stand in a table of their own.\n"
    for kind in KINDS:
        for name, component in registry.components(kind).items():
            options = component.options_schema.get("properties", {})
            rows = _rows(options, component.options_schema.get("required", ())) if options else "It has no options.\n"
            yield f"### {kind} `{name}`\n\n{_sentence(component.summary)}{_place(kind)}\n\n{rows}"


def _sentence(summary: str) -> str:
    return summary[:1].upper() + summary[1:].rstrip(".") + "."


def _place(kind: Kind[Any]) -> str:
    return f" Options in `{WHERE[kind]}`." if kind in WHERE else ""


def _rows(keys: Mapping[str, Any], required: object) -> str:
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, inner in keys.items():
        default = "required" if key in required else f"`{value_text(inner['default'])}`" if "default" in inner else ""
        meaning = inner.get("description", "").replace("|", "\\|")
        lines.append(f"| `{key}` | {_type(inner)} | {default} | {meaning} |")
    return "\n".join([*lines, ""])


def _type(inner: Mapping[str, Any]) -> str:
    if inner.get("format") == "credential":
        return "credential"
    if "x-component" in inner:
        return f"{inner['x-component']}: " + ", ".join(f"`{name}`" for name in inner["enum"])
    if "enum" in inner:
        return ", ".join(f"`{word}`" for word in inner["enum"])
    words = inner.get("type", "any")
    word = " or ".join(words) if isinstance(words, list) else words
    if word == "array":
        return f"list of {inner.get('items', {}).get('type', 'value')}s"
    return {"object": "table", "integer": "whole number"}.get(word, word) + _bounds(inner)


def _bounds(inner: Mapping[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">"}
    return "".join(f", {sign} {inner[rule]}" for rule, sign in signs.items() if rule in inner)


def _environment() -> str:
    rows = "\n".join(f"| `RELAYKIT_RELAY_{key.upper()}` | `relay.{key}` |" for key in SCALARS if key != "home")
    return ENVIRONMENT.format(rows=rows)
