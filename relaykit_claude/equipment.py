"""What one session is equipped with: its directories and files, and the words and variables that name them.

This is the one place where a session's settings, tools, hooks and skills are put together. The user's own settings,
servers and skills stay: all this comes on top.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relaykit.model import Approval
from relaykit_claude import tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from relaykit.plugin import Endpoint, SessionRequest

_ASK_FOR = ("Bash", "Edit", "MultiEdit", "NotebookEdit", "Write", "WebFetch")
"""Tools that always ask where the agent may only read: rules that allow them, whoever made them, do not count then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """A session's files, written."""

    place: Path
    """A directory of its own for what is temporary, and for sockets."""
    words: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def equip(request: SessionRequest, home: Path) -> Iterator[Equipment]:
    """Write what a session needs below ``home``, and remove afterwards what is only for its time."""
    for name in ("tmp", "run"):
        (home / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    files = home / "session"
    shutil.rmtree(files, ignore_errors=True)  # of a relay that was killed
    files.mkdir(mode=0o700)
    try:
        words = [*_settings(files, request), *(_tools(files, request.endpoint) if request.endpoint else ())]
        env = tools.variables(os.environ) if request.endpoint else {}
        yield Equipment(place=home, words=tuple(words), env=env)
    finally:
        shutil.rmtree(files, ignore_errors=True)


def settings(request: SessionRequest) -> Mapping[str, object]:
    """Return what is set for the session alone, beside the user's own settings."""
    rules: dict[str, list[str]] = {}
    if request.approval is Approval.READ_ONLY:
        rules["ask"] = list(_ASK_FOR)
    if request.endpoint is not None:
        rules["allow"] = [tools.RULE]
    return {"permissions": rules} if rules else {}


def _settings(files: Path, request: SessionRequest) -> list[str]:
    chosen = settings(request)
    return [f"--settings={_write(files / 'settings.json', chosen)}"] if chosen else []


def _tools(files: Path, endpoint: Endpoint) -> list[str]:
    where = _write(files / "endpoint.json", {"url": endpoint.url, "token": endpoint.token.reveal()})
    for name, content in tools.plugin_files(where).items():
        _write(files / "plugin" / name, content)
    mcp = _write(files / "mcp.json", tools.mcp_config(endpoint))
    return [f"--plugin-dir={files / 'plugin'}", f"--mcp-config={mcp}"]


def _write(path: Path, content: object) -> Path:
    for folder in reversed([one for one in path.parents if not one.exists()]):
        folder.mkdir(mode=0o700)
    whole = content if isinstance(content, str) else json.dumps(content, indent=1)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(whole)
    return path
