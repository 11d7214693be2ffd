"""The options of the provider."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from relaykit.errors import ConfigError

SHARED, PRIVATE = "shared", "private"
STDIO, SOCKET = "stdio", "socket"


def _option(kind: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "description": description, **more}


OPTIONS_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "command": _option(
            "string",
            "Name or path of codex. Without it: codex on the PATH, else the one of openai-codex-cli-bin.",
            minLength=1,
        ),
        "model": _option("string", "The model; without it Codex's own configuration decides.", minLength=1),
        "effort": _option("string", "How hard the model thinks: low, medium, high, …", minLength=1),
        "codex_home": _option(
            "string",
            "Where Codex keeps configuration, sign-in and sessions: shared (the user's own), private (one for "
            "this agent) or a path. Default: shared; private where a credential is given or the profile isolates.",
            minLength=1,
        ),
        "credential": _option(
            "string", "Name of the credential that holds an API key; not with a shared codex_home.", format="credential"
        ),
        "model_provider": _option("string", "The model provider, as Codex's configuration names it.", minLength=1),
        "config": _option("object", "More of Codex's configuration, for this agent's sessions."),
        "sandbox": _option(
            "string",
            "The widest sandbox; approval read-only narrows it further.",
            enum=["read-only", "workspace-write"],
            default="workspace-write",
        ),
        "network": _option("boolean", "Whether commands in the sandbox reach the network.", default=False),
        "writable": _option(
            "array",
            "Absolute paths that the agent may write to beside its workspace.",
            items={"type": "string", "pattern": "^/"},
            default=[],
        ),
        "connect": _option(
            "string",
            "How the relay reaches Codex: stdio (its input and output) or socket (a unix socket that only you can "
            "open, which `relaykit attach` can join beside the relay). Default: stdio; socket where it is detached.",
            enum=[STDIO, SOCKET],
        ),
        "detached": _option(
            "boolean",
            "Whether Codex and its running turn outlive the relay: the next one connects to it again. It is ended by "
            "`relaykit stop`, `kill` and `restart`. Goes with connect = socket.",
            default=False,
        ),
        "request_timeout": _option(
            "number", "Seconds after which an unanswered request to Codex has failed.", exclusiveMinimum=0, default=60
        ),
    },
}
"""JSON Schema of the options."""


class Options(Struct, frozen=True, kw_only=True):
    """The options, checked."""

    command: str | None = None
    model: str | None = None
    effort: str | None = None
    codex_home: str | None = None
    """None is as the profile's base wants it."""
    credential: str | None = None
    model_provider: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    sandbox: str = "workspace-write"
    network: bool = False
    writable: tuple[str, ...] = ()
    connect: str = STDIO
    detached: bool = False
    request_timeout: float = 60.0

    @classmethod
    def read(cls, options: Mapping[str, Any], name: str) -> Options:
        """Take options that fit the schema.

        Raises:
            ConfigError: A credential is given for the CODEX_HOME that the user's own Codex signs in with, or a
                detached Codex is to be reached by pipes, which end with the relay.
        """
        home = options.get("codex_home") or (PRIVATE if options.get("credential") else None)
        if options.get("credential") and home == SHARED:
            raise ConfigError(
                f"{name}.options.credential: it would replace the sign-in of the user's own Codex; "
                'use codex_home = "private"'
            )
        detached = options.get("detached", False)
        connect = options.get("connect") or (SOCKET if detached else STDIO)
        if detached and connect == STDIO:
            raise ConfigError(
                f"{name}.options.detached: the pipes of a detached codex would end with the relay; "
                'use connect = "socket", or leave connect out'
            )
        read = {"codex_home": home, "writable": tuple(options.get("writable", ())), "connect": connect}
        return cls(**{**options, **read})

    def home(self, own: Path, *, isolated: bool = False) -> Path | None:
        """Return the CODEX_HOME to set, below ``own`` where it is private; None is the user's."""
        home = self.codex_home or (PRIVATE if isolated else SHARED)
        if home == SHARED:
            return None
        return own / "codex" if home == PRIVATE else Path(home).expanduser()
