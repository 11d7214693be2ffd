"""Tools that Codex can be without, by the names that profiles use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relaykit.model import McpServer, Profile
    from relaykit.plugin.fields import Fields

_SWITCHES: Mapping[str, Fields] = {
    "shell": {"features.shell_tool": False},
    "web_search": {"web_search": "disabled"},
    "view_image": {"features.view_image": False},
    "subagents": {"features.multi_agent": False},
}
_ALSO = {"Bash": "shell", "WebSearch": "web_search", "Task": "subagents", "Agent": "subagents"}
"""What other agents call the same."""


def switches(profile: Profile) -> dict[str, object]:
    """Return what switches off the denied tools, and those that are not among the allowed ones."""
    allowed = profile.allowed_tools
    off = {_ALSO.get(tool, tool) for tool in profile.denied_tools}
    if allowed is not None:
        off |= _SWITCHES.keys() - {_ALSO.get(tool, tool) for tool in allowed}
    return {key: value for tool in _SWITCHES if tool in off for key, value in _SWITCHES[tool].items()}


def limits(server: McpServer, profile: Profile) -> dict[str, object]:
    """Return which of a server's tools there are; they belong into its own table, for Codex keeps no order of keys."""
    allowed, name = profile.allowed_tools, _mcp(server)
    some = None if allowed is None or name in allowed else _tools_of(server, allowed)
    if name in profile.denied_tools or some == []:
        return {"enabled": False}
    denied = _tools_of(server, profile.denied_tools)
    return {**({"enabled_tools": some} if some else {}), **({"disabled_tools": denied} if denied else {})}


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
