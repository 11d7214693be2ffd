"""What Codex makes of a profile: the settings of a thread, and a report of them. Pure: nothing is read or written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from relaykit.model import Base, CredentialName, Projection, cannot, partly, projected
from relaykit_codex.hooks import EVENTS
from relaykit_codex.options import PRIVATE, SHARED
from relaykit_codex.servers import clashes, is_named
from relaykit_codex.tools import patterns, switches, unknown_tools

if TYPE_CHECKING:
    from relaykit.model import Profile, Subagent
    from relaykit.plugin.fields import Fields

_MISNAMED = "Codex's own names have letters, digits, '_' and '-' alone; rename it"
_PLAIN = {
    "system_prompt": "the base instructions of the thread",
    "instructions": "the developer instructions of the thread",
    "instructions_file": "at the end of the developer instructions: Codex reads an AGENTS.md from its home and the "
    "workspace alone",
    "skills": "a skill of the session, from a directory of the agent's own",
}


def project(profile: Profile, options: Mapping[str, Any]) -> Sequence[Projection]:
    """Return what becomes of each item of a profile with an agent of these options."""
    return [_item(item, profile, options) for item in profile.items()]


def clear_commands(profile: Profile) -> list[str]:
    """Return the names of the commands that are projected: those that no skill is called by."""
    skills = {skill.name for skill in profile.skills}
    return [command.name for command in profile.commands if command.name not in skills]


def settings(profile: Profile, role: Mapping[str, str]) -> Fields:
    """Return what of Codex's configuration a profile's threads begin with.

    Args:
        profile: The profile.
        role: The file of each subagent.
    """
    isolated = {"project_doc_max_bytes": 0} if profile.base is Base.ISOLATED else {}
    roles = {
        f"agents.{one.name}": {"description": one.description, "config_file": role[one.name]}
        for one in subagents(profile)
    }
    return {**isolated, **roles, **switches(profile)}


def subagents(profile: Profile) -> list[Subagent]:
    """Return the subagents that are projected."""
    return [one for one in profile.subagents if is_named(one.name)]


def _item(item: str, profile: Profile, options: Mapping[str, Any]) -> Projection:
    kind, _, name = item.partition(".")
    if kind in _PLAIN:
        return projected(item, _PLAIN[kind])
    if kind in ("model", "effort"):
        return _chosen(item, getattr(profile, item), options)
    if kind == "base":
        return _base(profile.base, options)
    tell = _TELLERS.get(kind)
    return tell(item, name, profile) if tell else cannot(item, "Codex has nothing of the kind")


def _command(item: str, name: str, profile: Profile) -> Projection:
    if name not in clear_commands(profile):
        return cannot(item, "it would be a skill, and the profile has one of that name; rename it")
    return projected(item, f"a skill that is asked for as ${name}: Codex expands commands in its terminal alone")


def _subagent(item: str, name: str, profile: Profile) -> Projection:
    about = next(one for one in profile.subagents if one.name == name)
    if not is_named(about.name):
        return cannot(item, _MISNAMED)
    if about.tools is not None:
        return partly(item, "a role for Codex's own subagents; its tools cannot be limited")
    return projected(item, "a role for Codex's own subagents")


def _server(item: str, name: str, profile: Profile) -> Projection:
    server = next(one for one in profile.mcp_servers if one.name == name)
    if not is_named(name):
        return cannot(item, _MISNAMED)
    if clash := clashes(profile).get(name):
        return cannot(item, clash)
    how = "reached at its URL" if server.url else "started by Codex"
    hidden = [value for value in (*server.env.values(), *server.headers.values()) if isinstance(value, CredentialName)]
    secret = (
        ", its secrets by Codex's environment, hidden from the agent's commands" if hidden or server.credential else ""
    )
    return projected(item, f"a server of the thread, {how}{secret}")


def _hooks(item: str, event: str, profile: Profile) -> Projection:  # noqa: ARG001 - as the others
    if event not in EVENTS:
        return cannot(item, f"Codex has no such event; it has {', '.join(EVENTS)}")
    return projected(item, "a hook of the session, the only ones that are trusted beside the user's own")


def _variable(item: str, name: str, profile: Profile) -> Projection:  # noqa: ARG001 - as the others
    if name == "CODEX_HOME":
        return cannot(item, "the option codex_home says it")
    return projected(item, "in the environment of Codex and of its commands, as far as Codex's own rules pass it on")


def _denied(item: str, _: str, profile: Profile) -> Projection:
    unknown = unknown_tools(profile)
    if not unknown:
        return projected(item, "switched off in the configuration of the thread")
    rest = f"Codex cannot be without {', '.join(unknown)}"
    return cannot(item, rest) if len(unknown) == len(profile.denied_tools) else partly(item, rest)


def _allowed(item: str, _: str, profile: Profile) -> Projection:
    others = "" if profile.base is Base.ISOLATED else ", nor servers of the user's own configuration"
    rest = f"apply_patch and its own bookkeeping cannot be taken from it{others}"
    if some := patterns(profile.allowed_tools or ()):
        rest += f"; {', '.join(some)} allows nothing, for Codex takes whole names of tools alone"
    return partly(item, f"tools that Codex can be without are off; {rest}")


def _chosen(item: str, value: object, options: Mapping[str, Any]) -> Projection:
    if options.get(item) not in (None, value):
        return cannot(item, f"the agent's own option says {options[item]}")
    return projected(item, "of the thread")


def _base(base: Base, options: Mapping[str, Any]) -> Projection:
    home = options.get("codex_home")
    if base is Base.HOST:
        return projected(
            "base", "the user's own CODEX_HOME" if home in (None, SHARED) else "the CODEX_HOME of the option"
        )
    if home == SHARED:
        return cannot("base", "the option codex_home says shared; leave it out")
    where = "a CODEX_HOME of its own" if home in (None, PRIVATE) else "the CODEX_HOME that the option names"
    return partly(
        "base",
        f"{where}, signed in by the option credential or by `codex login` in it, and no AGENTS.md of the workspace; "
        "skills of the workspace and of ~/.agents are found nevertheless",
    )


_TELLERS: Mapping[str, Callable[[str, str, Profile], Projection]] = {
    "commands": _command,
    "subagents": _subagent,
    "mcp_servers": _server,
    "hooks": _hooks,
    "env": _variable,
    "denied_tools": _denied,
    "allowed_tools": _allowed,
}
