"""Tools of Claude's by the names that profiles use: which are left, and which are denied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from relaykit.model import Profile

_ALSO = {"shell": "Bash", "web_search": "WebSearch", "subagents": "Agent", "Task": "Agent"}
"""What other agents, and an older claude, call the same."""
_KNOWN = frozenset(
    {"Agent", "AskUserQuestion", "Bash", "BashOutput", "CronCreate", "CronDelete", "CronList", "Edit", "EnterPlanMode"}
    | {"EnterWorktree", "ExitPlanMode", "ExitWorktree", "Glob", "Grep", "KillShell", "LS", "LSP", "ListAgents"}
    | {"ListMcpResourcesTool", "Monitor", "MultiEdit", "NotebookEdit", "NotebookRead", "Read", "ReadMcpResourceTool"}
    | {"ReportFindings", "ScheduleWakeup", "SendMessage", "Skill", "SlashCommand", "TaskCreate", "TaskGet", "TaskList"}
    | {"TaskOutput", "TaskStop", "TaskUpdate", "TodoWrite", "ToolSearch", "WebFetch", "WebSearch", "Workflow", "Write"}
)
"""Claude's own, of any version; new ones come with it every few weeks."""
_ODD = re.compile(r"[^A-Za-z0-9_-]")
_MCP = "mcp__"


def of_server(name: str) -> str:
    """Return what Claude calls all tools of a server."""
    return _MCP + _ODD.sub("_", name)


def rules(names: Iterable[str]) -> list[str]:
    """Return Claude's rules for tools; a part of a tool, as in ``Bash(git *)``, stays one."""
    return [_rule(name) for name in names]


def denied(profile: Profile) -> list[str]:
    """Return the rules of what is denied."""
    return rules(profile.denied_tools)


def own_tools(profile: Profile) -> list[str] | None:
    """Return the only ones of Claude's own tools that there are; None is all."""
    if profile.allowed_tools is None:
        return None
    return list(dict.fromkeys(_whole(rule) for rule in rules(profile.allowed_tools) if not _is_mcp(rule)))


def unknown_tools(names: Iterable[str]) -> list[str]:
    """Return the names that are no tool of Claude's, as far as is known here."""
    return [name for name in names if not (_is_clear(name) if _is_mcp(name) else _whole(_rule(name)) in _KNOWN)]


def allows_server(profile: Profile, server: str) -> bool:
    """Return whether any tool of a server is allowed, and not all of them denied."""
    allowed, own = profile.allowed_tools, of_server(server)
    named = allowed is None or any(rule == own or rule.startswith(f"{own}__") for rule in rules(allowed))
    return named and own not in denied(profile)


def allows(profile: Profile, tool: str) -> bool:
    """Return whether one of Claude's own tools is left."""
    left = own_tools(profile)
    return (left is None or tool in left) and tool not in denied(profile)


def strange_servers(profile: Profile) -> bool:
    """Return whether tools of servers are allowed that are none of the profile's."""
    own = [of_server(one.name) for one in profile.mcp_servers]
    asked = [rule for rule in rules(profile.allowed_tools or ()) if _is_mcp(rule)]
    return any(not _is_of(rule, own) for rule in asked)


def parts(profile: Profile) -> list[str]:
    """Return the allowed tools that are a part of something which Claude has as a whole, or not at all."""
    return [name for name in profile.allowed_tools or () if "(" in name]


def not_allowed(profile: Profile) -> list[str]:
    """Return patterns of the other tools of servers of which only some are allowed."""
    allowed = rules(profile.allowed_tools or ())
    found = []
    for own in (of_server(one.name) for one in profile.mcp_servers if of_server(one.name) not in allowed):
        some = [rule.removeprefix(f"{own}__") for rule in allowed if rule.startswith(f"{own}__")]
        found += [f"^{own}__(?!({'|'.join(some)})$)"] if some else []
    return found


def _is_of(rule: str, servers: list[str]) -> bool:
    return any(rule == server or rule.startswith(f"{server}__") for server in servers)


def _rule(name: str) -> str:
    if _is_mcp(name):
        return _ODD.sub("_", _server_or_tool(name))
    tool, bracket, part = name.partition("(")
    return _ALSO.get(tool, tool) + bracket + part


def _server_or_tool(name: str) -> str:
    server = name.removesuffix("__*")
    return server if _is_mcp(server) else name


def _is_clear(name: str) -> bool:
    """Return whether a name says one tool of a server, or all."""
    return "*" not in _server_or_tool(name)


def _whole(rule: str) -> str:
    return rule.partition("(")[0]


def _is_mcp(name: str) -> bool:
    return name.startswith(_MCP)
