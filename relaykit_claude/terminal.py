"""How a person goes on with a session in Claude Code's own terminal program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from relaykit.plugin import Terminal
from relaykit_claude import projecting
from relaykit_claude.equipment import settings
from relaykit_claude.launch import config_variable, find_claude, model_words, permission_mode

if TYPE_CHECKING:
    from pathlib import Path

    from relaykit.plugin import SessionRequest
    from relaykit_claude.options import Options

_OF_RELAY = ("RELAYKIT_HOME", "RELAYKIT_AGENT")


class Overrides(Struct, frozen=True, kw_only=True):
    """How a session was told to go on while it runs; None where it goes on as it began."""

    model: str | None = None
    permission_mode: str | None = None


def join_terminal(
    options: Options, request: SessionRequest, session: str, overrides: Overrides, *, config: Path | None
) -> Terminal:
    """Return the program that takes the session's place: two claudes on one session write both into it.

    Args:
        options: Say which claude, and how it works.
        request: Of the session.
        session: Its id now.
        overrides: How it goes on now.
        config: The configuration directory, where it is not the user's own.
    """
    # Of the agent's environment only whose it is: what a profile adds may be secret, and so is a key; the option env is not.
    env = {name: value for name, value in request.env.items() if name in _OF_RELAY}
    mode = f"--permission-mode={overrides.permission_mode or permission_mode(options, request.approval)}"
    now = replace(options, model=overrides.model or options.model)
    argv = [find_claude(options.command), f"--resume={session}", mode, *model_words(now), *_limits(request)]
    return Terminal(
        argv=(*argv, *request.arguments),
        cwd=request.cwd,
        env={**config_variable(config), **options.env, **env, **projecting.variables(request.profile)},
    )


def _limits(request: SessionRequest) -> list[str]:
    """Return what limits the session, in words: its files are the relay's own, and go with it."""
    rules = settings(replace(request, endpoint=None))  # the relay's tools are not there
    return [*([f"--settings={json.dumps(rules)}"] if rules else []), *projecting.words(request.profile)]
