"""A CLAUDE_CONFIG_DIR of its own, whose model is the scripted stub."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

CLAUDE_BIN = "CLAUDE_BIN"
"""Environment variable that names another claude than the one of the package ``claude-agent-sdk``."""
KEY = "sk-a-key-that-nobody-may-see"


def claude_binary() -> str:
    """Return the claude that tests drive: the one that ``CLAUDE_BIN`` names, else the bundled one."""
    if named := os.environ.get(CLAUDE_BIN):
        return named
    from importlib.util import find_spec  # noqa: PLC0415 - wanted only where nothing is named

    spec = find_spec("claude_agent_sdk")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"there is no claude to test with: pip install claude-agent-sdk, or set {CLAUDE_BIN}")
    return str(Path(spec.origin).with_name("_bundled") / "claude")


def claude_options(home: Path) -> dict[str, Any]:
    """Return options for an agent whose claude keeps to that directory.

    Commands run without the user's own login scripts, which may take any time.
    """
    return {"command": claude_binary(), "config_dir": str(home), "env": {"HOME": str(home)}}


def write_claude_home(home: Path, base_url: str, *, retries: int = 0, env: Mapping[str, str] | None = None) -> Path:
    """Write settings into a directory and return it; the sign-in is a key that the stub does not look at.

    Args:
        home: It is made, 0700, where it does not exist.
        base_url: Of the stub.
        retries: How often claude itself tries again before a turn fails.
        env: More environment variables for claude; an empty one is left out, for claude would take it as said.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    variables = {
        "ANTHROPIC_BASE_URL": base_url,
        "ANTHROPIC_API_KEY": KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": str(retries),
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_TELEMETRY": "1",
        **(env or {}),
    }
    said = {name: value for name, value in variables.items() if value}
    (home / "settings.json").write_text(json.dumps({"env": said}), encoding="utf-8")
    return home


@contextmanager
def claude_home(base_url: str, *, retries: int = 0, env: Mapping[str, str] | None = None) -> Iterator[Path]:
    """Make a configuration directory and remove it afterwards."""
    parent = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "relaykit-tests"
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    home = Path(mkdtemp(prefix="claude-", dir=parent))
    try:
        yield write_claude_home(home, base_url, retries=retries, env=env)
    finally:
        shutil.rmtree(home, ignore_errors=True)
