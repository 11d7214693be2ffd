"""What becomes of a profile with a provider: every item of it, so that nothing is dropped without a word."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

from relaykit.model import Profile, Projection, cannot, projected
from relaykit.plugin import Component, Provider

_BY_THE_RELAY = {
    "approval": "the relay answers by it when the agent asks, where the agent names no other",
    "reachable_by": "the mailbox refuses what comes from others",
    "in_groups": "groups pass the agent by",
    "may_send_now": "the mailbox lets the agent interrupt others",
}
_FILE = "written into the workspace by the relay, where it is absent"


def projection(profile: Profile, provider: Component[Provider], options: Mapping[str, Any]) -> list[Projection]:
    """Return what becomes of each item of a profile, in the profile's order."""
    said = provider.projects(profile, options) if provider.projects else ()
    known = {one.item: one for one in said}
    silent = f"{provider.name} says nothing of it" if provider.projects else f"{provider.name} takes no profiles"
    return [_of_relay(item) or known.get(item) or _of_silence(item, profile, silent) for item in profile.items()]


def _of_relay(item: str) -> Projection | None:
    if item in _BY_THE_RELAY:
        return projected(item, _BY_THE_RELAY[item])
    kind, _, name = item.partition(".")
    if kind == "needs":
        return _needed(item, name)
    return projected(item, _FILE) if kind == "files" else None


def _needed(item: str, program: str) -> Projection:
    if found := shutil.which(program):
        return projected(item, f"it is there: {found}")
    return cannot(item, f"there is no {program} on the PATH; install it, the relay never does")


def _of_silence(item: str, profile: Profile, why: str) -> Projection:
    if item == "base" and profile.base == "host":
        return projected(item, "it runs as it would without a profile")
    return cannot(item, why)
