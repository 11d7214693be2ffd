"""What a validator found, in words for people: what is wrong; what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from relaykit.registry.hints import near, nearest
from relaykit.registry.masking import is_secret_key
from relaykit.registry.problem import Place, Problem

if TYPE_CHECKING:
    from jsonschema import ValidationError

Explain = Callable[[str, str], str]
_TYPES = {
    "object": "a table",
    "array": "a list",
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "nothing",
}
_LONG = 60
_HIDDEN = "the value"


class Finding(Struct, frozen=True):
    """An error of a validator, without its types' many alternatives."""

    path: Place
    rule: str | None
    """The keyword that does not hold; None where nothing at all may stand."""
    limit: Any
    """What the schema says under that keyword."""
    value: Any
    schema: Mapping[str, Any]
    branches: Sequence[Sequence[ValidationError]]
    """The errors of each alternative."""


def worded(error: ValidationError, explain: Explain | None = None) -> Iterator[Problem]:
    """Yield the problems that one error of a validator stands for."""
    finding = _finding(error)
    path = finding.path
    match finding.rule:
        case "additionalProperties":
            yield from _unknown_keys(finding)
        case "required":
            yield from (Problem(path, f"{name!r} is missing") for name in finding.limit if name not in finding.value)
        case "anyOf" | "oneOf" if finding.branches:
            yield from _nearest_branch(finding, explain)
        case "enum" if explain and "x-component" in finding.schema and isinstance(finding.value, str):
            yield Problem(path, explain(finding.schema["x-component"], finding.value))
        case _:
            yield Problem(path, _text(finding, shown(finding.value, path)) or error.message)


def _finding(error: ValidationError) -> Finding:
    path: Place = tuple(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path:
        path = (*path, str(error.instance))
    branches = [
        list(found) for _, found in groupby(error.context or (), key=lambda inner: inner.relative_schema_path[0])
    ]
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    rule = error.validator if isinstance(error.validator, str) else None
    return Finding(path, rule, error.validator_value, error.instance, schema, branches)


def shown(value: object, path: Place = ()) -> str:
    """Return a value for a message: short, and never one that may be a secret."""
    names = [part for part in path if isinstance(part, str)]
    if any(map(is_secret_key, names)):
        return _HIDDEN
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "a table"
        case list():
            return "a list"
        case _:
            text = repr(value) if isinstance(value, (str, int, float)) else str(value)
            return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def _text(finding: Finding, value: str) -> str | None:
    """Say what is wrong; None where there are no words for the rule and the value may be shown."""
    if finding.rule is None:
        return f"{value} is not allowed"  # the path is lost: the validator does not tell it
    if special := _SPECIAL.get(finding.rule):
        return special(finding, value)
    if shape := _SHAPES.get(finding.rule):
        return shape.format(value=value, limit=finding.limit)
    return f"the value breaks the rule {finding.rule!r}" if value == _HIDDEN else None


def _type(finding: Finding, value: str) -> str:
    wanted = [finding.limit] if isinstance(finding.limit, str) else finding.limit
    return f"{value} does not fit; {' or '.join(_TYPES[name] for name in wanted)} belongs here"


def _enum(finding: Finding, value: str) -> str:
    allowed = [str(item) for item in finding.limit]
    meant = nearest(finding.value, allowed) if isinstance(finding.value, str) else None
    hint = f"; did you mean {meant!r}?" if meant else ""
    return f"{value} is not one of {', '.join(allowed)}{hint}"


_SPECIAL: Mapping[str, Callable[[Finding, str], str]] = {
    "type": _type,
    "enum": _enum,
    "pattern": lambda finding, value: f"{value} is not {finding.schema.get('x-means', f'of the form {finding.limit}')}",
    "const": lambda finding, value: f"{value} does not fit; only {shown(finding.limit)} does",
}
_SHAPES: Mapping[str, str] = {
    "minimum": "{value} is less than the minimum of {limit}",
    "maximum": "{value} is more than the maximum of {limit}",
    "exclusiveMinimum": "{value} is not more than {limit}",
    "exclusiveMaximum": "{value} is not less than {limit}",
    "minLength": "{value} is too short; at least {limit} characters belong here",
    "maxLength": "{value} is too long; at most {limit} characters belong here",
    "minItems": "too few; at least {limit} belong here",
    "maxItems": "too many; at most {limit} belong here",
    "minProperties": "too few keys; at least {limit} belong here",
    "uniqueItems": "something stands there twice",
    "format": "this is not the name of a {limit}; a secret goes into the credential store, its name here",
}


def _unknown_keys(finding: Finding) -> Iterator[Problem]:
    known = finding.schema.get("properties", {})
    patterns = finding.schema.get("patternProperties", {})
    for key in finding.value:
        if key not in known and not any(re.search(pattern, key) for pattern in patterns):
            hint = near(key, known) if known else "; nothing can be set here"
            yield Problem((*finding.path, key), f"unknown key{hint}")


def _nearest_branch(finding: Finding, explain: Explain | None) -> Iterator[Problem]:
    """Yield the problems of the alternative that fits best."""
    if all(_is_of_other_type(branch) for branch in finding.branches):
        words = [_TYPES.get(str(branch[0].validator_value), "something else") for branch in finding.branches]
        text = f"{shown(finding.value, finding.path)} does not fit; {' or '.join(words)} belongs here"
        yield Problem(finding.path, text)
        return
    for error in min(finding.branches, key=lambda branch: (_is_of_other_type(branch), len(branch))):
        yield from worded(error, explain)


def _is_of_other_type(branch: Sequence[ValidationError]) -> bool:
    return any(error.validator == "type" and not error.relative_path for error in branch)
