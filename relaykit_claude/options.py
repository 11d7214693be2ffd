"""The options of the provider."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

SHARED, PRIVATE = "shared", "private"
PERMISSION_MODES = ("default", "acceptEdits", "plan")
"""Claude's own modes, but for those that ask for nothing."""


def _option(kind: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "description": description, **more}


OPTIONS_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "command": _option("string", "Name or path of claude. Without it: claude on the PATH.", minLength=1),
        "model": _option("string", "The model; without it Claude's own settings decide.", minLength=1),
        "effort": _option("string", "How hard the model thinks: low, medium, high, …", minLength=1),
        "config_dir": _option(
            "string",
            "Where Claude keeps settings, sign-in and sessions: shared (the user's own), private (one for this "
            "agent) or a path.",
            minLength=1,
            default=SHARED,
        ),
        "credential": _option("string", "Name of the credential that holds an API key.", format="credential"),
        "permission_mode": _option(
            "string",
            "Claude's own mode at the start. Default: default, which asks for every edit; acceptEdits where "
            "approval is deny, so that the workspace stays usable.",
            enum=list(PERMISSION_MODES),
        ),
        "max_turns": _option("integer", "Steps of one turn after which it has failed.", minimum=1),
        "max_budget": _option("number", "US dollars after which the session's turns fail.", exclusiveMinimum=0),
        "background": _option(
            "boolean",
            "Whether subagents and commands may run on in the background, and prompts be planned for later; both then "
            "start turns that nobody asked for.",
            default=False,
        ),
        "fork": _option("string", "Id of a session whose history new sessions begin with.", minLength=1),
        "env": _option(
            "object",
            "More environment variables; no secrets.",
            additionalProperties={"type": "string"},
            default={},
        ),
        "pass_env": _option(
            "array",
            "Names of more variables of the relay's own environment that Claude and its commands get; it is built "
            "from a list otherwise.",
            items={"type": "string", "minLength": 1},
            default=[],
        ),
        "request_timeout": _option(
            "number", "Seconds after which an unanswered request to Claude has failed.", exclusiveMinimum=0, default=60
        ),
    },
}
"""JSON Schema of the options."""


class Options(Struct, frozen=True, kw_only=True):
    """The options, checked."""

    command: str | None = None
    model: str | None = None
    effort: str | None = None
    config_dir: str = SHARED
    credential: str | None = None
    permission_mode: str | None = None
    max_turns: int | None = None
    max_budget: float | None = None
    background: bool = False
    fork: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    pass_env: tuple[str, ...] = ()
    request_timeout: float = 60.0

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Options:
        """Take options that fit the schema."""
        return cls(**{**options, "pass_env": tuple(options.get("pass_env", ()))})

    def own_config(self, own: Path) -> Path | None:
        """Return the configuration directory to set, below ``own`` where it is private; None is the user's."""
        if self.config_dir == SHARED:
            return None
        return own / "claude" if self.config_dir == PRIVATE else Path(self.config_dir).expanduser()

    def config(self, own: Path) -> Path:
        """Return the configuration directory that the session will use."""
        users = os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude"
        return self.own_config(own) or Path(users)
