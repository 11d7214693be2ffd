"""What providers' hooks send: a note in the session's events, kept raw and bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from relaykit.errors import RefusedError
from relaykit.model import ProviderNote
from relaykit.relay.delivering.hooked import HOOK

NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")
_TEXT = 2000
"""Characters of one value."""
_KEYS = 50
_DEPTH = 3


def read(name: str, body: bytes) -> Mapping[str, Any]:
    """Return what a hook sent, whole.

    Raises:
        RefusedError: The name or the body is nothing that a hook sends.
    """
    if not NAME.fullmatch(name):
        raise RefusedError("a hook's name has letters, digits, '.', '_' and '-', at most 64 of them")
    try:
        said = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"hook {name}: its body is no JSON") from error
    if not isinstance(said, Mapping):
        raise RefusedError(f"hook {name}: its body is no JSON object")
    return said


def note(name: str, said: Mapping[str, Any]) -> ProviderNote:
    """Return what a hook sent as a note for the events."""
    return ProviderNote(name=f"{HOOK}{name}", data=_bounded(said, _DEPTH))


def _bounded(value: Any, depth: int) -> Any:
    """Return a value that is small and can be stored, whatever it was."""
    match value:
        case str():
            return value[:_TEXT].encode("utf-8", "replace").decode()
        case Mapping() if depth:
            return {_bounded(key, 0): _bounded(one, depth - 1) for key, one in [*value.items()][:_KEYS]}
        case list() if depth:
            return [_bounded(one, depth - 1) for one in value[:_KEYS]]
        case None | bool() | float():
            return value if value == value and abs(value or 0) != float("inf") else None  # noqa: PLR0124 - NaN is not
        case int():
            return value if abs(value) < 2**63 else str(value)[:_TEXT]
        case _:
            return "…"
