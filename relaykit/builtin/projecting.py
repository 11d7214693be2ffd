"""What ``echo`` and ``exec`` make of a profile: little, and they say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from relaykit.model import cannot, projected

if TYPE_CHECKING:
    from relaykit.model import Profile, Projection


def echo(profile: Profile, options: Mapping[str, Any]) -> Sequence[Projection]:  # noqa: ARG001 - the contract's
    """Say that there is nothing to project to."""
    return [
        projected(item, "there are no settings to begin with") if item == "base" else cannot(item, "echo only echoes")
        for item in profile.items()
    ]


def exec_(profile: Profile, options: Mapping[str, Any]) -> Sequence[Projection]:  # noqa: ARG001 - the contract's
    """Say that a command has an environment, and nothing else that a profile speaks of."""
    return [_of_command(item) for item in profile.items()]


def _of_command(item: str) -> Projection:
    if item.startswith("env."):
        return projected(item, "in the environment of the command")
    if item == "base":
        return projected(item, "the command has no settings that relaykit knows")
    return cannot(item, "a command takes a text and nothing beside it; give it in the option command")
