"""Values of Codex's configuration as the words of a command line have them."""

from __future__ import annotations

import json
from collections.abc import Mapping


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
