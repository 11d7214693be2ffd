"""What one session is equipped with: its directories and files, and the words and variables that name them.

This is the one place where a session's settings, tools, hooks and skills are put together, the relay's and those of
a profile. The user's own settings, servers and skills stay unless the profile isolates: all this comes on top.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct, field

from relaykit.model import Approval, ProfileFile
from relaykit_claude import projecting, tools
from relaykit_claude.leftovers import keep_latest
from relaykit_claude.servers import servers
from relaykit_claude.toolnames import denied

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from relaykit.plugin import Endpoint, SessionRequest

_ASK_FOR = (
    *("Bash", "Edit", "MultiEdit", "NotebookEdit", "Write", "WebFetch"),
    *("EnterWorktree", "ExitWorktree"),  # they make and remove branches and files, and ask by themselves for nothing
)
"""Tools that always ask where the agent may only read: rules that allow them, whoever made them, do not count then."""
_SESSION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""How claude names a session, and the directory that it makes for one."""
_SPECIAL = re.compile(r"[\\*?\[\]!#]")
"""What has a meaning in the pattern of a rule, which is one of gitignore's; one more slash before it says from the root. Of
``?`` and the backslash Claude understands no escape (2.1.327): a path with one is no path of the rule, and claude asks."""


class Equipment(Struct, frozen=True, kw_only=True):
    """A session's files, written."""

    place: Path
    """A directory of its own for what is temporary, and for sockets."""
    words: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def equip(request: SessionRequest, home: Path) -> Iterator[Equipment]:
    """Write what a session needs below ``home``, and remove afterwards what is only for its time."""
    files = home / "session"
    for stale in (home / "run", files):  # of a claude, or a relay, that was killed
        shutil.rmtree(stale, ignore_errors=True)
    for place in (home / "tmp", home / "run", files):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    keep_latest(_sessions_in(home / "tmp"))
    try:
        yield Equipment(place=home, words=tuple(_words(files, request)), env=_variables(request))
    finally:
        shutil.rmtree(files, ignore_errors=True)


def _sessions_in(tmp: Path) -> Iterator[Path]:
    """Yield the directories that claude makes for its sessions: what commands leave beside them is theirs."""
    return (path for path in tmp.glob("claude-*/*/*") if _SESSION.fullmatch(path.name) and path.is_dir())


def settings(request: SessionRequest) -> Mapping[str, object]:
    """Return what is set for the session alone, beside the user's own settings."""
    profile = request.profile
    rules = {
        "ask": list(_ASK_FOR) if request.approval is Approval.READ_ONLY else [],
        "allow": [*_readable(request), *([tools.RULE] if request.endpoint else [])],
        "deny": denied(profile) if profile else [],
    }
    said = {kind: names for kind, names in rules.items() if names}
    return {"permissions": said} if said else {}


def _readable(request: SessionRequest) -> list[str]:
    """Return the rules by which claude may read what it is sent, which lies outside of its workspace."""
    if request.attachments is None:
        return []
    place = _SPECIAL.sub(r"\\\g<0>", str(request.attachments))
    return [f"Read(/{place}/**)"]


def _words(files: Path, request: SessionRequest) -> Iterator[str]:
    if chosen := settings(request):
        yield f"--settings={_write(files / 'settings.json', chosen)}"
    if request.endpoint:
        yield _plugin(files / "plugin", _reporting(files, request.endpoint))
    if request.profile and (brought := projecting.plugin_files(request.profile)):
        yield _plugin(files / "profile", brought)
    yield from (f"--plugin-dir={place}" for place in projecting.plugin_directories(request.profile))
    if found := _servers(request):
        yield f"--mcp-config={_write(files / 'mcp.json', {'mcpServers': found})}"
    yield from projecting.words(request.profile)


def _servers(request: SessionRequest) -> Mapping[str, object]:
    brought = servers(request.profile, request.secrets) if request.profile else {}
    return {**brought, **({tools.NAME: tools.SERVER} if request.endpoint else {})}


def _reporting(files: Path, endpoint: Endpoint) -> Mapping[str, object]:
    where = _write(files / "endpoint.json", {"url": endpoint.url, "token": endpoint.token.reveal()})
    return tools.plugin_files(endpoint, where)


def _plugin(place: Path, files: Mapping[str, object]) -> str:
    for name, content in files.items():
        _write(place / name, content)
    return f"--plugin-dir={place}"


def _variables(request: SessionRequest) -> Mapping[str, str]:
    reached = tools.variables(os.environ) if request.endpoint else {}
    return {**reached, **projecting.variables(request.profile)}


def _write(path: Path, content: object) -> Path:
    for folder in reversed([one for one in path.parents if not one.exists()]):
        folder.mkdir(mode=0o700)
    mode = 0o700 if isinstance(content, ProfileFile) and content.executable else 0o600
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(_bytes(content))
    return path


def _bytes(content: object) -> bytes:
    if isinstance(content, ProfileFile):
        return content.content
    return (content if isinstance(content, str) else json.dumps(content, indent=1)).encode("utf-8")
