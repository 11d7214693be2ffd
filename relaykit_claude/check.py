"""What ``relaykit doctor`` is told of the claude of an agent."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from relaykit_claude.faults import agent_error
from relaykit_claude.handshake import check_version
from relaykit_claude.launch import find_claude
from relaykit_claude.options import Options

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = 10.0


def check(options: Mapping[str, Any]) -> str:
    """Return which claude an agent with these options would start.

    Raises:
        ProviderError: There is none, or it is too old.
    """
    claude = find_claude(Options.read(options).command)
    version = _version(claude).partition(" ")[0].strip()
    check_version(version)
    return f"claude {version} at {claude}"


def _version(claude: str) -> str:
    try:
        done = subprocess.run(
            [claude, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise agent_error("missing", f"{claude} cannot be asked for its version: {error}") from error
    return done.stdout
