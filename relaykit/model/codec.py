"""Records to JSON values and back, by their fields' types."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar

R = TypeVar("R")
_WORD = re.compile(r"\w+")
_PLAIN = frozenset({str, int, float, bool, type(None)})


def to_json(record: object) -> dict[str, Any]:
    """Return a record's fields as JSON values; those that stand at their default are left out."""
    return {
        name: value if type(value) in _PLAIN else _encode(value)
        for name, default in _defaults(type(record))  # type: ignore[arg-type]  # a class is hashable
        if (value := getattr(record, name)) != default
    }


def from_json(cls: type[R], data: Mapping[str, Any]) -> R:
    """Make a record from its JSON; fields that it does not know are passed over, so that newer writers can be read."""
    decoders = _decoders(cls)  # type: ignore[arg-type]  # a class is hashable; mypy does not see it through the cache
    return cls(**{name: decoders[name](value) for name, value in data.items() if name in decoders})


@cache
def _defaults(cls: Hashable) -> tuple[tuple[str, object], ...]:
    return tuple((field.name, _default(field)) for field in fields(cls))  # type: ignore[arg-type]  # always a dataclass


def _default(field: Field[Any]) -> object:
    if field.default is not MISSING:
        return field.default
    return MISSING if field.default_factory is MISSING else field.default_factory()


def _encode(value: object) -> Any:
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return to_json(value)
    if isinstance(value, (tuple, list)):
        return [_encode(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _encode(item) for key, item in value.items()}
    return value


@cache
def _decoders(cls: Hashable) -> dict[str, Callable[[Any], Any]]:
    from relaykit import model  # noqa: PLC0415 - its names are what the annotations mean

    words = {word for field in fields(cls) for word in _WORD.findall(str(field.type))}  # type: ignore[arg-type]
    records = {word: getattr(model, word) for word in words & set(model.__all__)}
    hints = typing.get_type_hints(cls, globalns=records | vars(typing) | {"Mapping": Mapping})
    return {field.name: _decoder(hints[field.name]) for field in fields(cls)}  # type: ignore[arg-type]


def _decoder(hint: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        inner = _decoder(next(item for item in arguments if item is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        item = _decoder(arguments[0])
        return lambda value: tuple(item(one) for one in value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if is_dataclass(hint) and isinstance(hint, type):
        return lambda value: from_json(hint, value)
    return lambda value: value
