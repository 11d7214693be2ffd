"""How a person joins a thread in Codex's own terminal program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.model import Approval
from relaykit.plugin import Terminal
from relaykit_codex.launch import find_codex, home_of

if TYPE_CHECKING:
    from pathlib import Path

    from relaykit.plugin import SessionRequest
    from relaykit_codex.options import Options

_OF_RELAY = ("RELAYKIT_HOME", "RELAYKIT_AGENT")


def join_terminal(options: Options, home: Path, request: SessionRequest, thread: str, socket: Path | None) -> Terminal:
    """Return how the thread is joined: beside the relay where codex listens on a socket, else in its place."""
    codex_home = home_of(options, home, request)
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
    if options.effort:
        words += ["--config", f"model_reasoning_effort={options.effort}"]
    if options.model_provider:
        words += ["--config", f"model_provider={options.model_provider}"]
    return words
