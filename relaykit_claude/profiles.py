"""What Claude makes of a profile, told item by item. Pure: nothing is read or written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from relaykit.model import Base, Projection, cannot, partly, projected
from relaykit_claude.options import PRIVATE, SHARED
from relaykit_claude.projecting import EVENTS, MANIFEST, clear_commands
from relaykit_claude.servers import hides, not_told
from relaykit_claude.toolnames import allows, not_allowed, parts, strange_servers, unknown_tools

if TYPE_CHECKING:
    from relaykit.model import Profile

_PLAIN = {
    "system_prompt": "in the place of Claude's own system prompt",
    "instructions": "at the end of the system prompt",
    "instructions_file": "at the end of the system prompt: Claude reads a CLAUDE.md from the workspace and its own "
    "directory alone",
}


def project(profile: Profile, options: Mapping[str, Any]) -> Sequence[Projection]:
    """Return what becomes of each item of a profile with an agent of these options."""
    return [_item(item, profile, options) for item in profile.items()]


def _item(item: str, profile: Profile, options: Mapping[str, Any]) -> Projection:
    kind, _, name = item.partition(".")
    if kind in _PLAIN:
        return projected(item, _PLAIN[kind])
    if kind in ("model", "effort"):
        return _chosen(item, getattr(profile, item), options)
    if kind == "base":
        return _base(profile.base, options)
    tell = _TELLERS.get(kind)
    return tell(item, name, profile) if tell else cannot(item, "Claude has nothing of the kind")


def _skill(item: str, name: str, profile: Profile) -> Projection:
    if not allows(profile, "Skill"):
        return cannot(item, "the profile does not leave the tool Skill")
    return projected(item, f"a skill of a plugin of the session, called profile:{name}")


def _command(item: str, name: str, profile: Profile) -> Projection:
    if name not in clear_commands(profile):
        return cannot(item, "it would be called as the skill of that name is; rename it")
    return projected(item, f"a command of a plugin of the session: /profile:{name}")


def _subagent(item: str, _: str, profile: Profile) -> Projection:
    if not allows(profile, "Agent"):
        return cannot(item, "the profile does not leave the tool Agent")
    return projected(item, "a subagent of the session")


def _server(item: str, name: str, profile: Profile) -> Projection:
    if why := not_told(profile).get(name):
        return cannot(item, why)
    server = next(one for one in profile.mcp_servers if one.name == name)
    how = "reached at its URL" if server.url else "started by Claude"
    secret = ", its secrets in a file of the session that its owner alone reads" if hides(server) else ""
    return projected(item, f"a server of the session, {how}{secret}; its tools ask before they are used")


def _plugin(item: str, name: str, profile: Profile) -> Projection:
    plugin = next(one for one in profile.plugins if one.name == name)
    if MANIFEST not in plugin.manifests:
        return cannot(item, f"it is no plugin of Claude's: {plugin.path} has no {MANIFEST}")
    return projected(item, f"a plugin of the session, used where it lies: {plugin.path}")


def _hooks(item: str, event: str, _: Profile) -> Projection:
    if event not in EVENTS:
        return cannot(item, f"Claude has no such event; it has {', '.join(EVENTS)}")
    return projected(item, "a hook of a plugin of the session")


def _variable(item: str, name: str, _: Profile) -> Projection:
    if name == "CLAUDE_CONFIG_DIR":
        return cannot(item, "the option config_dir says it")
    return projected(item, "in the environment of Claude, of its commands and of its servers")


def _denied(item: str, _: str, profile: Profile) -> Projection:
    unknown = unknown_tools(profile.denied_tools)
    if not unknown:
        return projected(item, "rules of the session's settings, which come before any that allow")
    rest = f"relaykit knows no {', '.join(unknown)} of Claude's"
    return cannot(item, rest) if len(unknown) == len(profile.denied_tools) else partly(item, rest)


def _allowed(item: str, _: str, profile: Profile) -> Projection:
    rest = [f"relaykit knows no {', '.join(unknown)} of Claude's" for unknown in [_unknown(profile)] if unknown]
    if whole := parts(profile):
        rest.append(f"what {', '.join(whole)} is a part of is there as a whole")
    if strange_servers(profile) and profile.base is Base.HOST:
        rest.append("all servers of the user's own settings are there")
    refused = ", and refuses other tools of its servers when they are used" if not_allowed(profile) else ""
    how = f"Claude has no other tools of its own{refused}; those of the relay stay"
    return partly(item, f"{how}; {'; '.join(rest)}") if rest else projected(item, how)


def _unknown(profile: Profile) -> list[str]:
    return unknown_tools(profile.allowed_tools or ())


def _chosen(item: str, value: object, options: Mapping[str, Any]) -> Projection:
    if options.get(item) not in (None, value):
        return cannot(item, f"the agent's own option says {options[item]}")
    return projected(item, "of the session")


def _base(base: Base, options: Mapping[str, Any]) -> Projection:
    where = {SHARED: "the user's own directory", PRIVATE: "a directory of the agent's own"}.get(
        options.get("config_dir", SHARED), "the directory that the option config_dir names"
    )
    if base is Base.HOST:
        return projected("base", f"settings, servers, skills and CLAUDE.md of {where} and of the workspace")
    return projected(
        "base",
        "no settings, servers, skills, hooks, memory or CLAUDE.md, of the user or of the workspace; what an "
        f"organisation manages stays, and so does the sign-in in {where}, but for one that its settings.json tells of",
    )


_TELLERS: Mapping[str, Callable[[str, str, Profile], Projection]] = {
    "skills": _skill,
    "commands": _command,
    "subagents": _subagent,
    "mcp_servers": _server,
    "plugins": _plugin,
    "hooks": _hooks,
    "env": _variable,
    "denied_tools": _denied,
    "allowed_tools": _allowed,
}
