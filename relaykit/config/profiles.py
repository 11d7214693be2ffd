"""Profiles as records, and what a schema cannot say of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relaykit.config.places import resolved
from relaykit.config.profile_files import read_files, read_plugin, read_skill, read_text, unsafe
from relaykit.config.sections import ALIASES
from relaykit.errors import UsageError
from relaykit.model import (
    Approval,
    Base,
    CredentialName,
    Hook,
    McpServer,
    Profile,
    ProfileCommand,
    ProfileFile,
    Subagent,
    Value,
    parse_address,
)
from relaykit.registry.problem import Place, Problem

if TYPE_CHECKING:
    from relaykit.config.source import Source

Tree = Mapping[str, Any]
_PLAIN = ("system_prompt", "instructions", "model", "effort", "in_groups", "may_send_now")
_OURS = "RELAYKIT_"


def build_profile(source: Source, name: str, said: Tree) -> Profile:
    """Return the record of a profile that fits the schema and breaks no rule."""
    place = ("profiles", name)
    instructions, folder = (
        said.get(key) and _path(source, (*place, key), said[key]) for key in ("instructions_file", "files_from")
    )
    approval, reachable, allowed = said.get("approval"), said.get("reachable_by"), said.get("allowed_tools")
    return Profile(
        name=name,
        base=Base(said.get("base", Base.HOST)),
        instructions_file=read_text(instructions) if instructions else "",
        skills=tuple(read_skill(_path(source, (*place, "skills"), path)) for path in said.get("skills", ())),
        subagents=tuple(_subagent(one, about) for one, about in said.get("subagents", {}).items()),
        commands=tuple(ProfileCommand(name=one, **about) for one, about in said.get("commands", {}).items()),
        allowed_tools=None if allowed is None else tuple(allowed),
        denied_tools=tuple(said.get("denied_tools", ())),
        mcp_servers=tuple(_server(one, about) for one, about in said.get("mcp_servers", {}).items()),
        hooks=tuple(Hook(**about) for about in said.get("hooks", ())),
        plugins=tuple(read_plugin(_path(source, (*place, "plugins"), path)) for path in said.get("plugins", ())),
        needs=tuple(said.get("needs", ())),
        env=_values(said.get("env", {})),
        files=(*_texts(said.get("files", {})), *(read_files(folder) if folder else ())),
        approval=(ALIASES.get(approval) or Approval(approval)) if approval else None,
        reachable_by=None if reachable is None else tuple(reachable),
        **{key: said[key] for key in _PLAIN if key in said},
    )


def broken_profiles(source: Source, profiles: Tree) -> Iterator[Problem]:
    """Yield what is wrong with profiles, which need not fit their schema."""
    for name, profile in profiles.items():
        if isinstance(profile, Mapping):
            place: Place = ("profiles", name)
            yield from _addresses(place, profile)
            yield from _paths(source, place, profile)
            yield from _names(place, profile)
            yield from _servers(place, _table(profile, "mcp_servers"))


def _addresses(place: Place, profile: Tree) -> Iterator[Problem]:
    for index, address in enumerate(_list(profile, "reachable_by")):
        try:
            parse_address(address) if isinstance(address, str) else None
        except UsageError as error:
            yield Problem((*place, "reachable_by", index), str(error))


def _paths(source: Source, place: Place, profile: Tree) -> Iterator[Problem]:
    """Yield what cannot be read of that which the profile names by its path."""
    named = [
        ((*place, key, index), path, read)
        for key, read in _LISTED.items()
        for index, path in enumerate(_list(profile, key))
    ]
    named += [((*place, key), profile.get(key), read) for key, read in _READERS.items()]
    for where, path, read in named:
        if not isinstance(path, str) or not path or "\0" in path:
            continue
        try:
            read(_path(source, where, path))
        except ValueError as error:
            yield Problem(where, str(error))


def _directory(path: Path) -> None:
    if not path.is_dir():
        raise ValueError(f"{path} is no directory; create it, or name another")


_LISTED: dict[str, Any] = {"skills": read_skill, "plugins": read_plugin}
_READERS: dict[str, Any] = {"path": _directory, "instructions_file": read_text, "files_from": read_files}


def _names(place: Place, profile: Tree) -> Iterator[Problem]:
    for path in _table(profile, "files"):
        if why := unsafe(path):
            yield Problem((*place, "files", path), f"{path!r} {why}; name a file below it")
    for name in _table(profile, "env"):
        if name.startswith(_OURS):
            yield Problem((*place, "env", name), f"variables that begin with {_OURS} are the relay's own; leave it out")


def _servers(place: Place, servers: Tree) -> Iterator[Problem]:
    for name, server in servers.items():
        if not isinstance(server, Mapping):
            continue
        where: Place = (*place, "mcp_servers", name)
        started, reached = [key for key in ("command", "env", "cwd") if key in server], "url" in server
        if ("command" in server) == reached:
            yield Problem(where, "a server has either a command or a url")
        elif reached and started:
            yield Problem((*where, started[0]), "it is for a server with a command; this one has a url")
        elif not reached and (alien := [key for key in ("headers", "credential") if key in server]):
            yield Problem((*where, alien[0]), "it is for a server with a url; this one has a command")


def _path(source: Source, place: Place, path: str) -> Path:
    return resolved(path, source.base(place))


def _subagent(name: str, about: Tree) -> Subagent:
    tools = about.get("tools")
    rest = {key: value for key, value in about.items() if key != "tools"}
    return Subagent(name=name, tools=None if tools is None else tuple(tools), **rest)


def _server(name: str, about: Tree) -> McpServer:
    return McpServer(
        name=name,
        command=tuple(about.get("command", ())),
        env=_values(about.get("env", {})),
        headers=_values(about.get("headers", {})),
        **{key: about[key] for key in ("cwd", "url", "credential") if key in about},
    )


def _values(said: Tree) -> dict[str, Value]:
    return {
        name: value if isinstance(value, str) else CredentialName(value["credential"]) for name, value in said.items()
    }


def _texts(files: Mapping[str, str]) -> Iterator[ProfileFile]:
    return (ProfileFile(path=path, content=text.encode()) for path, text in files.items())


def _table(tree: Tree, key: str) -> Tree:
    inner = tree.get(key)
    return inner if isinstance(inner, Mapping) else {}


def _list(tree: Tree, key: str) -> list[Any]:
    inner = tree.get(key)
    return inner if isinstance(inner, list) else []
