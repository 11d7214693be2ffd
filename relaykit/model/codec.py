"""Records to JSON and back, by their fields' types. Unknown fields are passed over, so that newer writers can be read."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

R = TypeVar("R")
# Values that JSON has no word for must not stop the rest.
_encoder = msgspec.json.Encoder(enc_hook=str)


def to_json(record: object) -> dict[str, Any]:
    """Return a record's fields as JSON values; those that stand at their default are left out."""
    values: dict[str, Any] = msgspec.to_builtins(record, enc_hook=str)
    return values


def to_text(record: object) -> str:
    """Return a record, or several, as JSON."""
    try:
        return _encoder.encode(record).decode()
    except UnicodeEncodeError:  # text that no encoding takes: a lone surrogate
        return json.dumps(to_json(record), separators=(",", ":"))


def from_text(cls: type[R], text: str) -> R:
    """Make a record from its JSON.

    Raises:
        msgspec.ValidationError: A value is not of its field's type.
        ValueError: It is no JSON.
    """
    try:
        return msgspec.json.decode(text, type=cls)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:  # it may hold a lone surrogate
        return msgspec.convert(json.loads(text), cls)
