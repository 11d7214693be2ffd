"""What ``relaykit doctor`` is told of the codex of an agent."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from relaykit_codex.faults import agent_error
from relaykit_codex.handshake import check_version
from relaykit_codex.launch import find_codex
from relaykit_codex.options import Options

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = 10.0


def check(options: Mapping[str, Any]) -> str:
    """Return which codex an agent with these options would start.

    Raises:
        ProviderError: There is none, or it is too old.
        ConfigError: The options contradict each other.
    """
    codex = find_codex(Options.read(options, "codex").command)
    words = _version(codex).split()
    version = words[-1] if words else ""
    check_version(f"codex/{version}")
    return f"codex {version} at {codex}"


def _version(codex: str) -> str:
    try:
        done = subprocess.run(
            [codex, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise agent_error("missing", f"{codex} cannot be asked for its version: {error}") from error
    return done.stdout
