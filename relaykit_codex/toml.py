"""Values of Codex's configuration as the words of a command line have them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relaykit.plugin.fields import Fields


def toml(value: object) -> str:
    """Return a value as TOML, on one line."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{toml(key)}={toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)  # TOML has nan and inf, which JSON has not
    # JSON's escapes are TOML's, but for DEL, which JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def flat(data: Fields, before: str = "") -> dict[str, Any]:
    """Return tables in tables as one, with dots in its keys; a table whose own keys have dots stays whole."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping) and value and not any("." in name for name in value):
            found |= flat(value, f"{before}{key}.")
        else:
            found[before + key] = value
    return found
