"""What a text says beside its words: whom it mentions, what it directs, which tasks it names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_FOUND = {
    "mentions": re.compile(r"(?<![\w@.-])@([a-zA-Z][a-zA-Z0-9_-]*)"),
    "directives": re.compile(r"(?<![\w/.:-])/([a-z][a-z0-9-]*)(?![\w/])"),
    "tags": re.compile(r"(?<![\w#&])#([a-zA-Z][a-zA-Z0-9_-]*)"),
    "taskRefs": re.compile(r"\b(T[0-9]+)\b"),
}


def extracted(text: str) -> dict[str, list[str]]:
    """Return what a text says, each once, in its order; nothing for what it does not say."""
    found = {name: list(dict.fromkeys(pattern.findall(text))) for name, pattern in _FOUND.items()}
    return {name: values for name, values in found.items() if values}


def merged(said: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return a message's metadata: what its sender said of it first, then what its text says."""
    result = dict(said)
    for name, values in extracted(text).items():
        before = result.get(name, [])
        if isinstance(before, list):
            result[name] = [*before, *(value for value in values if value not in before)]
    return result


def mentions(metadata: Mapping[str, Any], agent: str) -> bool:
    """Whether a message with this metadata mentions an agent, or everyone."""
    names = metadata.get("mentions")
    wanted = {agent.lower(), "all"}
    return isinstance(names, list) and any(isinstance(one, str) and one.lower() in wanted for one in names)
