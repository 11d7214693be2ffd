"""The schema of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relaykit.config.sections import ALIASES, NAME_MEANS, NAME_PATTERN, table, value
from relaykit.model import Approval, Base

_VARIABLE = {"pattern": r"^[A-Za-z_][A-Za-z0-9_]*(?![\s\S])", "x-means": "the name of a variable"}
_NAMES = {"pattern": NAME_PATTERN, "x-means": NAME_MEANS}
_STRINGS = {"type": "string", "minLength": 1}
_VALUE: Mapping[str, Any] = {
    "type": ["string", "object"],
    "additionalProperties": False,
    "required": ["credential"],
    "properties": {
        "credential": {"type": "string", "format": "credential", "description": "The credential that holds it."}
    },
}
"""A string, or ``{credential = "NAME"}``; the keywords about tables say nothing of a string."""


def _named(description: str, inner: Mapping[str, Any], names: Mapping[str, Any] = _NAMES) -> dict[str, Any]:
    return value("object", description, propertyNames=names, additionalProperties=inner)


def _list(description: str, items: Mapping[str, Any] = _STRINGS, **more: Any) -> dict[str, Any]:
    return value("array", description, items=items, **more)


def _text(description: str, **more: Any) -> dict[str, Any]:
    return value("string", description, **more)


_SUBAGENT = table(
    {
        "description": _text("When it is to be called in.", minLength=1),
        "prompt": _text("What it is told to be.", minLength=1),
        "model": _text("Its model.", minLength=1),
        "tools": _list("The only tools that it may use. Default: all that its agent has."),
    },
    required=["description", "prompt"],
)
_COMMAND = table(
    {
        "prompt": _text("What is asked.", minLength=1),
        "description": _text("What it is for.", default=""),
    },
    required=["prompt"],
)
_SERVER = table(
    {
        "command": _list("The program that is started, and its arguments.", minItems=1),
        "env": _named('Variables of the program: a string, or `{credential = "NAME"}`.', _VALUE, {**_VARIABLE}),
        "cwd": _text("Where the program runs. Default: the agent's directory.", minLength=1),
        "url": _text("The address of one that runs already.", pattern="^https?://", **{"x-means": "a URL"}),
        "headers": _named('What its requests carry: a string, or `{credential = "NAME"}`.', _VALUE, {"minLength": 1}),
        "credential": _text("The credential that goes as its bearer token.", format="credential"),
    },
)
_HOOK = table(
    {
        "event": _text("What happens, as the providers call it: SessionStart, PreToolUse, …", minLength=1),
        "command": _text("What the provider runs then, by the shell.", minLength=1),
        "matcher": _text("Of an event about a tool: which tools, as a pattern.", minLength=1),
        "timeout": value("number", "Seconds that it may take.", exclusiveMinimum=0, maximum=3600),
    },
    required=["event", "command"],
)

PROFILE = table(
    {
        "path": _text("The directory that holds the profile. Default: `profiles/NAME` beside the file.", minLength=1),
        "base": _text(
            "What a session begins with: host (the user's own settings of the provider), isolated (none of them).",
            enum=[*map(str, Base)],
            default=str(Base.HOST),
        ),
        "system_prompt": _text("In the place of the provider's system prompt.", minLength=1),
        "instructions": _text("Added to the system prompt.", default=""),
        "instructions_file": _text(
            "The file whose text stands for the provider's own AGENTS.md or CLAUDE.md.", minLength=1
        ),
        "skills": _list("Directories of skills, each with a SKILL.md.", default=[]),
        "subagents": _named("Helpers with a prompt of their own.", _SUBAGENT),
        "commands": _named("Prompts that are asked for by name.", _COMMAND),
        "allowed_tools": _list("The only tools that its agents may use. Default: all."),
        "denied_tools": _list("Tools that its agents may not use.", default=[]),
        "mcp_servers": _named("Servers of tools.", _SERVER),
        "hooks": _list("Commands that the provider runs when something happens.", _HOOK, default=[]),
        "plugins": _list(
            "Directories of plugins in a provider's own form, such as Claude Code's with a .claude-plugin.", default=[]
        ),
        "needs": _list(
            "Programs that what it brings along calls; looked for on the PATH, never installed.", default=[]
        ),
        "env": _named('Variables of its agents\' processes: a string, or `{credential = "NAME"}`.', _VALUE, _VARIABLE),
        "files": _named(
            "Files of the workspace, each its text under its path; written where they are absent.",
            {"type": "string"},
            {"minLength": 1},
        ),
        "files_from": _text("A directory whose files are such files, too.", minLength=1),
        "model": _text("The model, where the agent's options name none.", minLength=1),
        "effort": _text("How hard the model thinks, where the agent's options do not say.", minLength=1),
        "approval": _text(
            "What happens when its agents ask, where they do not say.", enum=[*map(str, Approval), *ALIASES]
        ),
        "reachable_by": value(
            "array", "Addresses that may send to its agents. Default: everyone.", items={"type": "string"}
        ),
        "in_groups": value(
            "boolean",
            "Whether `broadcast`, `tag:` and `cap:` mean its agents, too; their names and labels always do.",
            default=True,
        ),
        "may_send_now": value("boolean", "Whether its agents may interrupt others with `now`.", default=False),
    },
    "What several agents have in common; `profiles/NAME/` beside the file holds one, too.",
)
