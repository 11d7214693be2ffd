"""Tools that Codex can be without, by the names that profiles use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from relaykit_codex.servers import told_servers

if TYPE_CHECKING:
    from relaykit.model import McpServer, Profile
    from relaykit_codex.fields import Fields

_SWITCHES: Mapping[str, Fields] = {
    "shell": {"features.shell_tool": False},
    "web_search": {"web_search": "disabled"},
    "view_image": {"features.view_image": False},
    "subagents": {"features.multi_agent": False},
}
_ALSO = {"Bash": "shell", "WebSearch": "web_search", "Task": "subagents", "Agent": "subagents"}
"""What other agents call the same."""


def denied_settings(profile: Profile) -> dict[str, object]:
    """Return what switches the denied tools off."""
    found: dict[str, object] = {}
    for tool in profile.denied_tools:
        found |= _SWITCHES.get(_ALSO.get(tool, tool), {})
    for server in told_servers(profile):
        if _mcp(server) in profile.denied_tools:
            found[f"mcp_servers.{server.name}.enabled"] = False
        elif denied := _tools_of(server, profile.denied_tools):
            found[f"mcp_servers.{server.name}.disabled_tools"] = denied
    return found


def allowed_settings(profile: Profile) -> dict[str, object]:
    """Return what switches off the tools that are not among the allowed ones."""
    allowed = profile.allowed_tools
    if allowed is None:
        return {}
    names = {_ALSO.get(tool, tool) for tool in allowed}
    found = {key: value for tool, switch in _SWITCHES.items() if tool not in names for key, value in switch.items()}
    for server in told_servers(profile):
        if _mcp(server) in allowed:
            continue
        tools = _tools_of(server, allowed)
        found |= {f"mcp_servers.{server.name}.{'enabled_tools' if tools else 'enabled'}": tools or False}
    return found


def unknown_tools(profile: Profile) -> list[str]:
    """Return the denied tools that Codex cannot be without, or does not know."""
    known = {*_SWITCHES, *_ALSO, *map(_mcp, profile.mcp_servers)}
    ours = {f"{_mcp(one)}__{tool}" for one in profile.mcp_servers for tool in _tools_of(one, profile.denied_tools)}
    return [tool for tool in profile.denied_tools if tool not in known | ours]


def _mcp(server: McpServer) -> str:
    return f"mcp__{server.name}"


def _tools_of(server: McpServer, tools: tuple[str, ...]) -> list[str]:
    before = f"{_mcp(server)}__"
    return [tool.removeprefix(before) for tool in tools if tool.startswith(before)]
