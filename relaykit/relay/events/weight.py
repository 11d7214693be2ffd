"""About how many bytes an occurrence holds: what bounded queues count."""

from __future__ import annotations

from collections.abc import Mapping
from sys import getsizeof

from relaykit.model import (
    Block,
    BlockDelta,
    BlockEnded,
    BlockStarted,
    Occurrence,
    PermissionAsked,
    ProviderNote,
    TurnEnded,
)

_RECORD = 300
"""Bytes of the records around a text: measured, and rounded up."""


def weigh(what: Occurrence) -> int:
    """Return about how many bytes an occurrence holds."""
    match what:
        case BlockDelta():
            return _RECORD + getsizeof(what.text)
        case BlockStarted() | BlockEnded():
            return _RECORD + _weigh_block(what.block)
        case TurnEnded():
            return _RECORD + getsizeof(what.text)
        case PermissionAsked():
            return _RECORD + getsizeof(what.question.title) + getsizeof(what.question.detail)
        case ProviderNote():
            return _RECORD + _weigh_value(what.data)
    return _RECORD


def _weigh_block(block: Block) -> int:
    return _RECORD + getsizeof(block.text) + (_weigh_value(block.data) if block.data else 0)


def _weigh_value(value: object) -> int:
    if isinstance(value, Mapping):
        return getsizeof(value) + sum(getsizeof(key) + _weigh_value(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return getsizeof(value) + sum(_weigh_value(item) for item in value)
    return getsizeof(value)
