"""How a person joins a thread in Codex's own terminal program."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from relaykit.model import Approval
from relaykit.plugin import Terminal
from relaykit_codex.launch import find_codex, home_of
from relaykit_codex.toml import flat, toml
from relaykit_codex.tools import switches

if TYPE_CHECKING:
    from pathlib import Path

    from relaykit.plugin import SessionRequest
    from relaykit.plugin.fields import Fields
    from relaykit_codex.options import Options

_OF_RELAY = ("RELAYKIT_HOME", "RELAYKIT_AGENT")
_HIDDEN = frozenset(
    {"auth", "bearer_token", "env", "experimental_bearer_token", "headers", "http_headers", "query_params", "set"}
    | {"mcp_servers", "otel"}
)
"""Tables and keys of Codex's configuration that may hold secrets, and what the terminal program has of its own."""


def join_terminal(options: Options, home: Path, request: SessionRequest, thread: str, socket: Path | None) -> Terminal:
    """Return how the thread is joined: beside the relay where codex listens on a socket, else in its place."""
    codex_home = home_of(options, home, request) or os.environ.get("CODEX_HOME")  # the person's shell may have another
    # Of the agent's environment only whose it is: what a profile adds may be secret.
    env = {name: value for name, value in request.env.items() if name in _OF_RELAY}
    env |= {"CODEX_HOME": str(codex_home)} if codex_home else {}
    codex = find_codex(options.command)
    if socket is not None:
        argv = [codex, "resume", "--remote", f"unix://{socket}", thread]
        return Terminal(argv=tuple(argv), cwd=request.cwd, env=env, hands_over=False)
    # Without --no-daemon the thread would stay with a server of codex's own when the person has left.
    argv = [codex, "resume", "--no-daemon", *_settings(options, request), thread]
    return Terminal(argv=tuple(argv), cwd=request.cwd, env=env)


def _settings(options: Options, request: SessionRequest) -> list[str]:
    sandbox = "read-only" if request.approval is Approval.READ_ONLY else options.sandbox
    words = ["--sandbox", sandbox, "--ask-for-approval", "on-request", "--cd", str(request.cwd.resolve())]
    if options.model:
        words += ["--model", options.model]
    for key, value in _config(options, request).items():
        words += ["--config", f"{key}={value}"]
    return words


def _config(options: Options, request: SessionRequest) -> dict[str, str]:
    """Return what is said of Codex's configuration, as TOML: the user's own may allow more than the agent may."""
    config = {
        **(switches(request.profile) if request.profile else {}),
        **flat(_shown(options.config)),
        "sandbox_workspace_write.network_access": options.network,
        "sandbox_workspace_write.writable_roots": options.writable,
    }
    chosen = {"model_reasoning_effort": options.effort, "model_provider": options.model_provider}
    config |= {key: value for key, value in chosen.items() if value}
    return {key: toml(value) for key, value in config.items()}


def _shown(config: Fields) -> Fields:
    """Return what of a configuration everyone may see who lists processes: not what it says where secrets may stand."""
    return {
        key: _shown(value) if isinstance(value, Mapping) else value
        for key, value in config.items()
        if _HIDDEN.isdisjoint(key.split("."))
    }
