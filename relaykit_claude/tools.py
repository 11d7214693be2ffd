"""The relay's tools and hooks for one session: an MCP server, and a plugin of Claude's with hooks and skills."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from relaykit.model import ProviderNote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from relaykit.plugin import Endpoint

NAME = "relaykit"
RULE = f"mcp__{NAME}"
"""Claude's rule for all tools of the server: they act for the agent alone, and the relay decides who may reach whom."""
EVENTS = (
    "SessionStart",
    "SessionEnd",
    "SubagentStart",
    "SubagentStop",
    "PreCompact",
    "PostCompact",
    "Notification",
)
"""What is reported to the relay. Not Stop: a turn's end waits for that report, and the stream tells of the end itself."""
_BY_COMMAND = {"SessionStart": "clear|compact"}
"""Claude posts no report of these itself (2.1.327); a command costs each report the start of a process, and would cost every
session's start one. So it reports what begins in a session, by the word for why; ``session_start`` tells of the session."""
_HOOK_SECONDS = 5
_PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_LOOPBACK = "127.0.0.1,localhost,::1"
_SKILLS = {
    "reply": (
        "Answer a relaykit message before this turn ends, with proof of what became of the answer.",
        (
            "Call the tool `mcp__relaykit__reply` with the whole id of the message as `message` and the answer as `body`; "
            "give `wait`, in seconds, where it matters that the other has done with it. It returns what became of the "
            "answer.\n\nWhat you write at the end of your turn is sent as the answer by itself: use this only to answer "
            "earlier, or a message that is not the one you work on."
        ),
    ),
    "react": (
        "Put a word or a sign on a relaykit message, such as seen or +1, without beginning anybody's turn.",
        (
            "Call the tool `mcp__relaykit__react` with the whole id of the message as `message` and one short word or sign "
            "as `reaction`."
        ),
    ),
    "read-message": (
        "Read a relaykit message whole, with the thread that it belongs to, or see what waits.",
        (
            "Call the tool `mcp__relaykit__thread` with the id of the message or of its thread as `id`; it returns the "
            "messages of the thread, oldest first. For what waits for you call `mcp__relaykit__inbox`."
        ),
    ),
}


SERVER = {"type": "sdk", "name": NAME}
"""The relay's server as claude is told of it: one that speaks over claude's own pipe."""


def variables(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return what claude's environment needs: where there is a proxy, it must not get the token."""
    if not any(environment.get(name) for name in _PROXIES):
        return {}
    spared = environment.get("NO_PROXY") or environment.get("no_proxy")
    beyond = f"{spared},{_LOOPBACK}" if spared else _LOOPBACK
    return {"NO_PROXY": beyond, "no_proxy": beyond}


def plugin_files(endpoint: Endpoint, where: Path) -> Mapping[str, object]:
    """Return the files of the plugin by their paths: text as it is, everything else as JSON; the token is in one.

    Args:
        endpoint: Where the relay is.
        where: The file that says so to a hook that is a command.
    """
    posted = {event: [_posted(event, endpoint)] for event in EVENTS if event not in _BY_COMMAND}
    run = {event: [_run(event, matcher, where)] for event, matcher in _BY_COMMAND.items()}
    skills = {f"skills/{name}/SKILL.md": _skill(name, *told) for name, told in _SKILLS.items()}
    return {
        ".claude-plugin/plugin.json": {
            "name": NAME,
            "version": "0.1.0",
            "description": "What relaykit adds to a session: its hooks, and skills for its messages.",
        },
        "hooks/hooks.json": {"hooks": {**run, **posted}},
        **skills,
    }


def session_start(session: str, cwd: Path, words: Sequence[str]) -> ProviderNote:
    """Return what a hook of claude's would report of the start of a session that these words began."""
    source = "resume" if any(word.startswith("--resume=") for word in words) else "startup"
    told = {"hook_event_name": "SessionStart", "session_id": session, "cwd": str(cwd), "source": source}
    return ProviderNote(name="hook.SessionStart", data=told)


def _posted(event: str, endpoint: Endpoint) -> Mapping[str, object]:
    headers = {"Authorization": f"Bearer {endpoint.token.reveal()}"}
    post = {"type": "http", "url": f"{endpoint.url}/hooks/{event}", "headers": headers, "timeout": _HOOK_SECONDS}
    return {"hooks": [post]}


def _run(event: str, matcher: str, endpoint: Path) -> Mapping[str, object]:
    report = Path(__file__).with_name("report.py")
    command = shlex.join([sys.executable, "-I", "-S", str(report), event, str(endpoint)])
    # Claude goes on meanwhile: a report must not hold up the session that it is of.
    hook = {"type": "command", "command": command, "timeout": _HOOK_SECONDS, "async": True}
    return {"matcher": matcher, "hooks": [hook]}


def _skill(name: str, description: str, body: str) -> str:
    return f"---\nname: {name}\ndescription: {description}\n---\n\n{body}\n"
