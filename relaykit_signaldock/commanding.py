"""Structured messages that are commands of the Agent Relay kind, without input or output."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from relaykit.model import CommandKind

if TYPE_CHECKING:
    from relaykit_signaldock.protocol import Incoming

_KINDS = {
    "shutdown": CommandKind.STOP,
    "restart": CommandKind.RESTART,
    "kill": CommandKind.KILL,
    "interrupt": CommandKind.INTERRUPT,
    "compact": CommandKind.COMPACT,
    "clearContext": CommandKind.CLEAR,
    "injectContext": CommandKind.INJECT,
}
_PREFIX = "agent."


class NotTakenError(Exception):
    """A command cannot be taken as one; says why."""


class Order(Struct, frozen=True):
    """What is to be ordered of an agent."""

    kind: CommandKind
    text: str


def structured(message: Incoming) -> Mapping[str, Any] | None:
    """Return the command of a message, in its metadata or its whole text; None where it has none."""
    if message.command is not None:
        return message.command if _is_command(message.command) else None
    if not message.content.lstrip().startswith("{"):
        return None
    try:
        said = json.loads(message.content)
    except (ValueError, RecursionError):
        return None
    return said if _is_command(said) else None


def order(said: Mapping[str, Any], agent: str) -> Order:
    """Return what a command orders of an agent; NotTakenError where it is for another, or orders nothing known."""
    kind = _KINDS.get(said["commandType"].removeprefix(_PREFIX))
    if kind is None:
        raise NotTakenError(f"{said['commandType'][:80]!r} is none of {', '.join(_KINDS)}")
    if said.get("target") != agent:
        raise NotTakenError(f"its target is not {agent}")
    if kind is not CommandKind.INJECT:
        return Order(kind, "")
    params = said.get("params")
    text = params.get("content") if isinstance(params, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise NotTakenError("params.content has to be the text that is to be injected")
    return Order(kind, text.strip())


def _is_command(said: object) -> bool:
    return isinstance(said, dict) and isinstance(said.get("commandType"), str)
