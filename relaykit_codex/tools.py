"""Tools that Codex can be without, by the names that profiles use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
_MCP = "mcp__"


def switches(profile: Profile) -> dict[str, object]:
    """Return what switches off the denied tools, and those that are not among the allowed ones."""
    allowed = profile.allowed_tools
    off = {*_named(profile.denied_tools)}
    if allowed is not None:
        off |= _SWITCHES.keys() - {*_named(allowed)}
    return {key: value for tool in _SWITCHES if tool in off for key, value in _SWITCHES[tool].items()}


def limits(server: McpServer, profile: Profile) -> dict[str, object]:
    """Return which of a server's tools there are; they belong into its own table, for Codex keeps no order of keys."""
    name, off = _mcp(server), _named(profile.denied_tools)
    allowed = None if profile.allowed_tools is None else _named(profile.allowed_tools)
    some = None if allowed is None or name in allowed else _tools_of(server, allowed)
    if name in off or some == []:
        return {"enabled": False}
    denied = _tools_of(server, off)
    return {**({"enabled_tools": some} if some else {}), **({"disabled_tools": denied} if denied else {})}


def unknown_tools(profile: Profile) -> list[str]:
    """Return the denied tools that Codex cannot be without, or does not know."""
    known, denied = {*_SWITCHES, *map(_mcp, profile.mcp_servers)}, _named(profile.denied_tools)
    ours = {f"{_mcp(one)}__{tool}" for one in profile.mcp_servers for tool in _tools_of(one, denied)}
    known |= ours - {*patterns(denied)}
    return [tool for tool, name in zip(profile.denied_tools, denied, strict=True) if name not in known]


def patterns(tools: Sequence[str]) -> list[str]:
    """Return the names that stand for some tools of servers: Codex takes whole names alone."""
    return [tool for tool in _named(tools) if tool.startswith(_MCP) and "*" in tool]


def _named(tools: Sequence[str]) -> list[str]:
    """Return names as they are used here; all tools of a server go by its own."""
    wholes = [(tool, tool.removesuffix("__*")) for tool in tools]
    return [whole if whole.startswith(_MCP) else _ALSO.get(tool, tool) for tool, whole in wholes]


def _mcp(server: McpServer) -> str:
    return f"{_MCP}{server.name}"


def _tools_of(server: McpServer, tools: Sequence[str]) -> list[str]:
    before = f"{_mcp(server)}__"
    return [tool.removeprefix(before) for tool in tools if tool.startswith(before)]
