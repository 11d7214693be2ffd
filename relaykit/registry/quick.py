"""A quick yes to a value that fits its schema, without a JSON Schema library.

Importing and building a full validator costs a start 30 to 50 ms and every relay some 5 MiB for as long as it
runs; most configurations are right, and most schemas simple. Where this is not sure, the full validator decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from relaykit.registry.masking import is_credential_name

_ANNOTATIONS = frozenset(
    {"$schema", "$id", "$defs", "$comment", "title", "description", "default", "examples", "then", "else"}
)
_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "null": lambda value: value is None,
}


def surely_fits(schema: object, value: object) -> bool:
    """Whether the value fits for certain; False says nothing."""
    try:
        return _fits(schema, value)
    except (AttributeError, TypeError, ValueError, KeyError, re.error):
        return False  # a schema that is none: the full validator says so


def _fits(schema: Any, value: Any) -> bool:
    if isinstance(schema, bool):
        return schema
    return all(_holds(keyword, argument, value, schema) for keyword, argument in schema.items())


def _holds(keyword: str, argument: Any, value: Any, schema: Mapping[str, Any]) -> bool:
    if keyword in _ANNOTATIONS or keyword.startswith("x-"):
        return True
    check = _KEYWORDS.get(keyword)
    return check is not None and check(argument, value, schema)


def _type(argument: Any, value: Any, _: Any) -> bool:
    names = [argument] if isinstance(argument, str) else argument
    return any(_TYPES[name](value) for name in names)


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def _bound(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any, Any], bool]:
    return lambda argument, value, _: type(value) not in (int, float) or holds(value, argument)


def _sized(kind: type[Any], holds: Callable[[int, Any], bool]) -> Callable[[Any, Any, Any], bool]:
    return lambda argument, value, _: not isinstance(value, kind) or holds(len(value), argument)


def _properties(argument: Any, value: Any, _: Any) -> bool:
    return not isinstance(value, dict) or all(
        _fits(inner, value[name]) for name, inner in argument.items() if name in value
    )


def _additional(argument: Any, value: Any, schema: Mapping[str, Any]) -> bool:
    if "patternProperties" in schema or not isinstance(value, dict):
        return not isinstance(value, dict)
    return all(_fits(argument, inner) for name, inner in value.items() if name not in schema.get("properties", {}))


def _items(argument: Any, value: Any, schema: Mapping[str, Any]) -> bool:
    return not isinstance(value, list) or ("prefixItems" not in schema and all(_fits(argument, item) for item in value))


def _unique(argument: Any, value: Any, _: Any) -> bool:
    return not argument or not isinstance(value, list) or _all_different(value)


def _all_different(value: list[Any]) -> bool:
    return all(isinstance(item, str) for item in value) and len(set(value)) == len(value)


def _names(argument: Any, value: Any, _: Any) -> bool:
    return not isinstance(value, dict) or all(_fits(argument, name) for name in value)


def _if(argument: Any, value: Any, schema: Mapping[str, Any]) -> bool:
    """Take the branch that is certain; what does not surely fit is certainly unfit only in a simple condition."""
    if _fits(argument, value):
        return _fits(schema.get("then", True), value)
    return _is_const_of_property(argument) and _fits(schema.get("else", True), value)


def _is_const_of_property(condition: Any) -> bool:
    """Whether a condition is of the one form of which the quick check is certain that it does not hold."""
    inner = condition.get("properties", {})
    return set(condition) <= {"properties", "required"} and all(
        set(part) == {"const"} and isinstance(part["const"], str) for part in inner.values()
    )


_KEYWORDS: dict[str, Callable[[Any, Any, Mapping[str, Any]], bool]] = {
    "type": _type,
    "enum": lambda argument, value, _: any(_same(value, allowed) for allowed in argument),
    "const": lambda argument, value, _: _same(value, argument),
    "minimum": _bound(lambda value, least: value >= least),
    "maximum": _bound(lambda value, most: value <= most),
    "exclusiveMinimum": _bound(lambda value, least: value > least),
    "exclusiveMaximum": _bound(lambda value, most: value < most),
    "minLength": _sized(str, lambda size, least: size >= least),
    "maxLength": _sized(str, lambda size, most: size <= most),
    "minItems": _sized(list, lambda size, least: size >= least),
    "maxItems": _sized(list, lambda size, most: size <= most),
    "minProperties": _sized(dict, lambda size, least: size >= least),
    "pattern": lambda argument, value, _: not isinstance(value, str) or bool(re.search(argument, value)),
    "format": lambda argument, value, _: argument != "credential" or is_credential_name(value),
    "required": lambda argument, value, _: not isinstance(value, dict) or all(name in value for name in argument),
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "items": _items,
    "uniqueItems": _unique,
    "allOf": lambda argument, value, _: all(_fits(inner, value) for inner in argument),
    "if": _if,
}
