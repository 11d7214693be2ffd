"""The relay's tools, as an MCP server of a session's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relaykit.plugin import Endpoint
    from relaykit.plugin.fields import Fields

NAME = "relaykit"
TOKEN = "RELAYKIT_TOKEN"  # noqa: S105 - the variable's name
_TIMEOUT_SECONDS = 120
"""More than any tool of the relay's takes."""
_START_SECONDS = 20
_PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_LOOPBACK = "127.0.0.1,localhost,::1"


def settings(endpoint: Endpoint) -> Fields:
    """Return the configuration of the relay's server; the token is in the environment, its variable is named here.

    Nobody is asked about its tools: they act for the agent alone, and who may reach whom the relay decides itself. The
    commands that the agent runs have no business with the token.
    """
    server = {
        "url": f"{endpoint.url}/mcp",
        "bearer_token_env_var": TOKEN,
        "tool_timeout_sec": _TIMEOUT_SECONDS,
        "startup_timeout_sec": _START_SECONDS,
        "default_tools_approval_mode": "approve",
    }
    return {f"mcp_servers.{NAME}": server, f"shell_environment_policy.set.{TOKEN}": ""}


def variables(endpoint: Endpoint, environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return what the app-server's environment needs; where there is a proxy, it must not get the token."""
    found = {TOKEN: endpoint.token.reveal()}
    if any(environment.get(name) for name in _PROXIES):
        spared = environment.get("NO_PROXY") or environment.get("no_proxy")
        beyond = f"{spared},{_LOOPBACK}" if spared else _LOOPBACK
        found |= {"NO_PROXY": beyond, "no_proxy": beyond}
    return found
