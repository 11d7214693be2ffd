"""Which codex is started, and how."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from relaykit.model import without_credentials
from relaykit_codex import endpoint, servers
from relaykit_codex.faults import agent_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relaykit.plugin import SessionRequest

BUNDLED = "codex_cli_bin"
"""The package that brings a codex, but puts none on the PATH."""


def find_codex(command: str | None) -> str:
    """Return the path of the codex to start.

    Raises:
        ProviderError: There is none; the fault is the agent's.
    """
    if command is not None:
        return _named(command)
    if found := shutil.which("codex"):
        return found
    if importlib.util.find_spec(BUNDLED):
        from codex_cli_bin import bundled_codex_path  # noqa: PLC0415 - an optional dependency

        return str(bundled_codex_path())
    raise agent_error(
        "missing", "there is no codex on the PATH; install it (npm install -g @openai/codex), or set the option command"
    )


def arguments(codex: str, *more: str) -> list[str]:
    """Return the words that start an app-server on its standard input and output."""
    return [codex, "app-server", *more]


def environment(request: SessionRequest, home: Path | None) -> Mapping[str, str]:
    """Return the environment of the process; a CODEX_HOME of its own is made, 0700."""
    own = {
        **without_credentials(os.environ),
        **(servers.variables(request.profile, request.secrets) if request.profile else {}),
        # A profile's own CODEX_HOME would be neither the user's nor the option's.
        **{name: value for name, value in request.env.items() if name != "CODEX_HOME"},
    }
    if request.endpoint is not None:
        own |= endpoint.variables(request.endpoint, own)
    if home is None:
        return own
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {**own, "CODEX_HOME": str(home)}


def _named(command: str) -> str:
    path = Path(command).expanduser()
    found = shutil.which(str(path) if os.sep in command else command)
    if found is None:
        raise agent_error("missing", f"{command!r} is no program that can be started; set the option command to codex")
    return found
