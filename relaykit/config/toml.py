"""Read TOML, and write it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relaykit.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

DEEPEST = 32
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a file says.

    Raises:
        ConfigError: It cannot be read, or is not TOML; with line and column.
    """
    import tomllib  # noqa: PLC0415 - only where there is a file

    try:
        tree = tomllib.loads(path.read_bytes().decode())
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path}: byte {exc.start} is not UTF-8; TOML files are") from exc
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(_syntax(path, str(exc))) from exc
    except RecursionError as exc:
        raise ConfigError(f"{path}: nested too deeply; nothing here is deeper than {DEEPEST} tables") from exc
    if is_deep(tree):
        raise ConfigError(f"{path}: nested too deeply; nothing here is deeper than {DEEPEST} tables")
    return tree


def _syntax(path: Path, message: str) -> str:
    at = _AT.search(message)
    text = _AT.sub("", message)
    if at is None or at[1] is None:
        return f"{path}: {text} at its end" if at else f"{path}: {text}"
    return f"{path}:{at[1]}:{at[2]}: {text}"


def is_deep(tree: object) -> bool:
    """Whether there are more tables and lists in each other than anything here has."""
    level = [tree]
    for _ in range(DEEPEST):
        inner = [
            value.values() if isinstance(value, dict) else value for value in level if isinstance(value, (dict, list))
        ]
        level = [item for items in inner for item in items]
    return any(isinstance(value, (dict, list)) for value in level)


def key_text(key: str) -> str:
    """Return a key as TOML writes it."""
    return key if _BARE.fullmatch(key) else _string(key)


def value_text(value: object) -> str:
    """Return a value as TOML writes it, on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case Mapping():
            return "{" + ", ".join(f"{key_text(str(key))} = {value_text(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(value_text, value)) + "]"
        case _:
            return str(value)


def _string(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
