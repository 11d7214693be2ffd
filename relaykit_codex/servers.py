"""A profile's servers of tools as Codex is told of them; what is secret travels by the environment alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from relaykit.model import CredentialName
from relaykit_codex.tools import limits

if TYPE_CHECKING:
    from relaykit.model import McpServer, Profile, Secret, Value
    from relaykit.plugin.fields import Fields

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ODD = re.compile(r"[^A-Za-z0-9]+")


def is_named(name: str) -> bool:
    """Return whether Codex can call something by that name."""
    return _NAME.fullmatch(name) is not None


def told_servers(profile: Profile) -> list[McpServer]:
    """Return the servers that Codex can be told of."""
    bad = clashes(profile)
    return [one for one in profile.mcp_servers if is_named(one.name) and one.name not in bad]


def servers(profile: Profile) -> Fields:
    """Return the settings of the servers that Codex can be told of."""
    told = {f"mcp_servers.{one.name}": {**_server(one), **limits(one, profile)} for one in told_servers(profile)}
    # Codex needs the variables for its servers; what the agent runs has no business with them.
    hidden = {f"shell_environment_policy.set.{name}": "" for name in _variables(profile) if name not in profile.env}
    return {**told, **hidden}


def variables(profile: Profile, secrets: Mapping[str, Secret]) -> dict[str, str]:
    """Return what Codex's process has to have in its environment, to pass it on to servers."""
    return {name: secrets[credential].reveal() for name, credential in _variables(profile).items()}


def clashes(profile: Profile) -> dict[str, str]:
    """Return why servers cannot be told of: each variable has one value in Codex's one environment."""
    held: dict[str, Value] = dict(profile.env)
    found = {}
    for server in profile.mcp_servers:
        for name, value in server.env.items():
            if isinstance(value, CredentialName) and held.setdefault(name, value) != value:
                found[server.name] = (
                    f"its variable {name} has another value elsewhere in the profile; rename one of them"
                )
    return found


def _server(server: McpServer) -> Fields:
    if server.url:
        credential = {"bearer_token_env_var": _variable(server, "token")} if server.credential else {}
        open_, secret = _sorted(server.headers)
        headers = {header: _variable(server, header) for header in secret}
        return {"url": server.url, **credential, **_if("http_headers", open_), **_if("env_http_headers", headers)}
    open_, secret = _sorted(server.env)
    program, *arguments = server.command
    cwd = {"cwd": server.cwd} if server.cwd else {}
    return {"command": program, "args": arguments, **cwd, **_if("env", open_), **_if("env_vars", list(secret))}


def _variables(profile: Profile) -> dict[str, str]:
    """Return the variables that hold secrets of servers, each with its credential."""
    return {name: credential for one in told_servers(profile) for name, credential in _secrets(one)}


def _secrets(server: McpServer) -> Iterator[tuple[str, str]]:
    yield from _sorted(server.env)[1].items()
    yield from ((_variable(server, header), name) for header, name in _sorted(server.headers)[1].items())
    if server.credential:
        yield _variable(server, "token"), server.credential


def _variable(server: McpServer, what: str) -> str:
    told_apart = sha256(f"{server.name}\0{what}".encode()).hexdigest()[:8]
    return f"RELAYKIT_MCP_{_ODD.sub('_', server.name)}_{told_apart}".upper()


def _sorted(values: Mapping[str, Value]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the values that stand in the open, and the names of the credentials of the others."""
    secret = {name: value.name for name, value in values.items() if isinstance(value, CredentialName)}
    return {name: value for name, value in values.items() if isinstance(value, str)}, secret


def _if(key: str, value: dict[str, str] | list[str]) -> Fields:
    return {key: value} if value else {}
