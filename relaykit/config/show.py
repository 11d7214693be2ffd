"""What is in force, and who said it; secrets masked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from relaykit.config.assembly import schema
from relaykit.config.loading import check, filled_in
from relaykit.config.source import Setting, Source
from relaykit.config.toml import key_text, value_text
from relaykit.registry.masking import MASK, is_secret_key

if TYPE_CHECKING:
    from relaykit.registry import Registry
    from relaykit.registry.problem import Place

_EMPTY = object()


def settings(source: Source, registry: Registry) -> list[Setting]:
    """Return every value in force, in the order of the sections, with who said it.

    Raises:
        ConfigError: The configuration does not fit.
    """
    config = check(source, registry)
    tree = completed(filled_in(source.tree), schema(registry))
    tree["relay"] = {"home": str(config.home), **tree["relay"]} | {"home": str(config.home)}
    for agent in config.agents:
        tree["agents"][agent.id]["cwd"] = str(agent.cwd)
    return [
        Setting(path=path, value=value, origin=source.origin(path))
        for path, value in _leaves(tree, ())
        if value != {} or path[0] in source.tree
    ]


def completed(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a value that fits the schema with the schema's defaults filled in."""
    if not isinstance(value, Mapping):
        return value
    known = schema.get("properties", {})
    full = {key: completed(inner, known.get(key) or _other(schema)) for key, inner in value.items()}
    for key, inner in known.items():
        if key not in full and (default := _default(inner)) is not _EMPTY:
            full[key] = default
    for choice in schema.get("allOf", ()):
        if _is_chosen(choice, full):
            full = completed(full, choice["then"])
    return full


def as_toml(found: list[Setting]) -> str:
    """Return settings as TOML, each line with who said it."""
    tables = groupby(
        sorted(found, key=lambda setting: _header(setting.path)), key=lambda setting: _header(setting.path)
    )
    return "\n".join(_section(header, list(inside)) for header, inside in tables)


def _section(header: str, inside: list[Setting]) -> str:
    lines = [f"{key_text(str(each.path[-1]))} = {value_text(each.value)}  # {each.origin}" for each in inside]
    return "\n".join([f"[{header}]", *lines, ""]) if header else "\n".join([*lines, ""])


def _header(path: Place) -> str:
    return ".".join(key_text(str(part)) for part in path[:-1])


def _leaves(tree: Mapping[str, Any], path: Place) -> Iterator[tuple[Place, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*path, key))
        elif is_secret_key(key) and isinstance(value, (str, list)):
            yield (*path, key), MASK
        else:
            yield (*path, key), value


def _other(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of keys that are not named."""
    other = schema.get("additionalProperties", {})
    return other if isinstance(other, Mapping) else {}


def _default(schema: Mapping[str, Any]) -> Any:
    if "default" in schema:
        return schema["default"]
    inner = completed({}, schema) if schema.get("type") == "object" else {}
    return inner or _EMPTY


def _is_chosen(choice: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Whether a choice of the assembled schema is the one that was made."""
    wanted = choice.get("if", {}).get("properties", {})
    return bool(wanted) and all(value.get(key) == part.get("const", _EMPTY) for key, part in wanted.items())
