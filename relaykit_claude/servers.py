"""A profile's servers of tools as Claude is told of them, in a file that nobody else reads.

What is secret stands in that file, as the relay's own token does: in Claude's environment every command of the agent
would have it, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.model import CredentialName
from relaykit_claude.toolnames import allows_server, of_server
from relaykit_claude.tools import RULE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relaykit.model import McpServer, Profile, Secret, Value
    from relaykit.plugin.fields import Fields

_ELSEWHERE = ("/bin/sh", "-c", 'cd "$0" && exec "$@"')
"""Claude starts a server where it was started itself."""


def not_told(profile: Profile) -> Mapping[str, str]:
    """Return why servers are left out, by their names."""
    called = {RULE: "the relay's own server"}
    found = {}
    for server in profile.mcp_servers:
        name = of_server(server.name)
        if name in called:
            found[server.name] = f"to Claude it has the name of {called[name]}; rename it"
        elif not allows_server(profile, server.name):
            found[server.name] = "the profile allows none of its tools"
        called.setdefault(name, f"the server {server.name}")
    return found


def servers(profile: Profile, secrets: Mapping[str, Secret]) -> Fields:
    """Return the servers that Claude is told of, what is secret in the open."""
    out = not_told(profile)
    return {one.name: _server(one, secrets) for one in profile.mcp_servers if one.name not in out}


def hides(server: McpServer) -> bool:
    """Return whether something of a server is secret."""
    values = [*server.env.values(), *server.headers.values()]
    return server.credential is not None or any(isinstance(value, CredentialName) for value in values)


def _server(server: McpServer, secrets: Mapping[str, Secret]) -> Fields:
    if server.url:
        bearer = {"Authorization": f"Bearer {secrets[server.credential].reveal()}"} if server.credential else {}
        return {"type": "http", "url": server.url, "headers": {**_said(server.headers, secrets), **bearer}}
    program, *words = [*_ELSEWHERE, server.cwd, *server.command] if server.cwd else server.command
    return {"type": "stdio", "command": program, "args": words, "env": _said(server.env, secrets)}


def _said(values: Mapping[str, Value], secrets: Mapping[str, Secret]) -> dict[str, str]:
    return {
        name: secrets[value.name].reveal() if isinstance(value, CredentialName) else value
        for name, value in values.items()
    }
