"""A profile on its way into a session: what is said in the hello, in words, in settings, and the files of a plugin."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from relaykit.model import Base, Hook
from relaykit_claude.toolnames import not_allowed, own_tools, rules, strange_servers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relaykit.model import Profile, ProfileCommand, Subagent
    from relaykit.plugin import SessionRequest
    from relaykit.plugin.fields import Fields

EVENTS = (
    *("SessionStart", "SessionEnd", "Setup", "UserPromptSubmit", "UserPromptExpansion", "PreToolUse", "PostToolUse"),
    *("PostToolUseFailure", "PostToolBatch", "PermissionRequest", "PermissionDenied", "Notification", "Stop"),
    *("StopFailure", "SubagentStart", "SubagentStop", "PreCompact", "PostCompact", "PreModelSwitch", "PostModelSwitch"),
    *("TaskCreated", "TaskCompleted", "Elicitation", "ElicitationResult", "ConfigChange", "InstructionsLoaded"),
    *("WorktreeCreate", "WorktreeRemove", "CwdChanged", "FileChanged", "DirectoryAdded", "TeammateIdle"),
    "MessageDisplay",
)
"""The events that Claude has."""
MANIFEST = ".claude-plugin"
"""The directory that makes another one a plugin of Claude's."""
PLUGIN = "profile"
"""What Claude puts before the names of skills and commands."""


_REFUSE = "echo 'The profile of this agent does not allow this tool.' >&2; exit 2"


def hello(request: SessionRequest) -> Fields:
    """Return what the session is told as it begins: long text, which argv would limit and show.

    Without ``systemPromptSnapshot`` a session that is gone on with keeps the system prompt that it began with, however
    the agent's instructions read by now.
    """
    profile = request.profile
    added = "\n\n".join(filter(None, (request.instructions, profile.instructions_file if profile else "")))
    said: dict[str, object] = {"appendSystemPrompt": added} if added else {}
    if profile is not None and profile.system_prompt is not None:
        said["systemPrompt"] = [profile.system_prompt]
    if profile is not None and profile.subagents:
        said["agents"] = {one.name: _subagent(one) for one in profile.subagents}
    return {**said, "systemPromptSnapshot": False}


def plugin_directories(profile: Profile | None) -> list[str]:
    """Return where the profile's plugins of Claude's own form lie."""
    return [one.path for one in profile.plugins if MANIFEST in one.manifests] if profile else []


def words(profile: Profile | None) -> list[str]:
    """Return the words that limit what there is beside the session's own files."""
    if profile is None:
        return []
    tools, isolated = own_tools(profile), profile.base is Base.ISOLATED
    only = [] if tools is None else [f"--tools={','.join(tools)}"]
    strict = isolated or (tools is not None and not strange_servers(profile))
    return [*only, *(["--strict-mcp-config"] if strict else []), *(["--setting-sources="] if isolated else [])]


def variables(profile: Profile | None) -> Mapping[str, str]:
    """Return what the environment says of the profile."""
    isolated = profile is not None and profile.base is Base.ISOLATED
    return {"CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1"} if isolated else {}


def clear_commands(profile: Profile) -> list[str]:
    """Return the names of the commands that are projected: those that no skill is called by."""
    skills = {skill.name for skill in profile.skills}
    return [command.name for command in profile.commands if command.name not in skills]


def plugin_files(profile: Profile) -> Mapping[str, object]:
    """Return the files of the profile's plugin by their paths; empty where it needs none."""
    files: dict[str, object] = {
        f"skills/{skill.name}/{file.path}": file for skill in profile.skills for file in skill.files
    }
    asked = clear_commands(profile)
    files |= {f"commands/{one.name}.md": _command(one) for one in profile.commands if one.name in asked}
    if hooks := [*(hook for hook in profile.hooks if hook.event in EVENTS), *_refusals(profile)]:
        events = dict.fromkeys(hook.event for hook in hooks)
        told = {event: [_hook(hook) for hook in hooks if hook.event == event] for event in events}
        files["hooks/hooks.json"] = {"hooks": told}
    about = {"name": PLUGIN, "version": "0.1.0", "description": f"What the profile {profile.name} brings along."}
    return {".claude-plugin/plugin.json": about, **files} if files else {}


def _refusals(profile: Profile) -> list[Hook]:
    """Return hooks that refuse what is not allowed of servers: only they know all of their tools."""
    return [Hook(event="PreToolUse", matcher=other, command=_REFUSE) for other in not_allowed(profile)]


def _subagent(about: Subagent) -> Fields:
    model = {"model": about.model} if about.model else {}
    tools = {} if about.tools is None else {"tools": rules(about.tools)}
    return {"description": about.description, "prompt": about.prompt, **model, **tools}


def _command(command: ProfileCommand) -> str:
    about = json.dumps(command.description or f"What to do when {command.name} is asked for.", ensure_ascii=False)
    return f"---\ndescription: {about}\n---\n\n{command.prompt}\n"


def _hook(hook: Hook) -> Fields:
    limit = {} if hook.timeout is None else {"timeout": math.ceil(hook.timeout)}
    matcher = {} if hook.matcher is None else {"matcher": hook.matcher}
    return {**matcher, "hooks": [{"type": "command", "command": hook.command, **limit}]}
