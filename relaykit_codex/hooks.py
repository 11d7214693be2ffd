"""Hooks of a profile: given to Codex as it starts, and trusted one by one, so that no other is run along with them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from relaykit.plugin.fields import rows, text
from relaykit_codex.faults import agent_error
from relaykit_codex.toml import toml

if TYPE_CHECKING:
    from relaykit.model import Hook, Profile
    from relaykit.plugin.fields import Fields
    from relaykit_codex.client import Client

EVENTS = (
    "PreToolUse",
    "PermissionRequest",
    "PostToolUse",
    "PreCompact",
    "PostCompact",
    "SessionStart",
    "SessionEnd",
    "UserPromptSubmit",
    "SubagentStart",
    "SubagentStop",
    "Stop",
)
"""The events that Codex has."""


def hook_arguments(profile: Profile | None) -> list[str]:
    """Return the words that give the hooks to an app-server."""
    hooks = _known(profile)
    events = dict.fromkeys(hook.event for hook in hooks)
    groups = {event: ",".join(_group(hook) for hook in hooks if hook.event == event) for event in events}
    return [word for event, group in groups.items() for word in ("-c", f"hooks.{event}=[{group}]")]


async def trusted(client: Client, profile: Profile | None, cwd: str) -> Fields:
    """Return the setting by which Codex trusts the hooks that it was started with, and none beside them.

    Raises:
        ProviderError: It does not know all of them.
    """
    hooks = _known(profile)
    if not hooks:
        return {}
    listed = rows(await client.ask("hooks/list", {"cwds": [cwd]}), "data")
    ours = [hook for entry in listed for hook in rows(entry, "hooks") if text(hook, "source") == "sessionFlags"]
    if len(ours) < len(hooks):
        raise agent_error("hooks", f"codex knows {len(ours)} of the {len(hooks)} hooks of the profile; update codex")
    return {"hooks.state": {text(hook, "key"): {"trusted_hash": text(hook, "currentHash")} for hook in ours}}


def _known(profile: Profile | None) -> list[Hook]:
    return [hook for hook in profile.hooks if hook.event in EVENTS] if profile else []


def _group(hook: Hook) -> str:
    timeout = f",timeout={math.ceil(hook.timeout)}" if hook.timeout is not None else ""
    matcher = f"matcher={toml(hook.matcher)}," if hook.matcher is not None else ""
    return f'{{{matcher}hooks=[{{type="command",command={toml(hook.command)}{timeout}}}]}}'
