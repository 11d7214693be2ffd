"""Which claude is started, with which words and in which environment."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from relaykit.errors import ConfigError
from relaykit.model import Approval
from relaykit_claude.faults import agent_error
from relaykit_claude.options import PERMISSION_MODES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from relaykit.model import Secret
    from relaykit.plugin import SessionRequest
    from relaykit_claude.options import Options

_ALWAYS = (
    "-p",
    "--input-format=stream-json",
    "--output-format=stream-json",
    "--verbose",
    "--permission-prompt-tool=stdio",
    "--include-partial-messages",
    "--replay-user-messages",
    "--forward-subagent-text",
)
_BYPASS = frozenset({"--dangerously-skip-permissions", "--allow-dangerously-skip-permissions", "bypassPermissions"})
_PASSED_ON = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TZ", "TMPDIR", "LANG", "LANGUAGE", "COLORTERM"}
    | {"SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "VIRTUAL_ENV", "JAVA_HOME"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"}
    | {"CLAUDE_CONFIG_DIR", "DISABLE_AUTOUPDATER", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING", "CLOUD_ML_REGION"}
)
_FAMILIES = ("LC_", "XDG_", "GIT_", "ANTHROPIC_", "AWS_", "GOOGLE_", "VERTEX_REGION_")
_CLAUDES = "CLAUDE_CODE_"
_CONFIG = "CLAUDE_CONFIG_DIR"
_OF_ANOTHER = frozenset({"CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "CLAUDE_CODE_SESSION_ID"})
"""What a claude tells the processes that it starts: a relay may be one of them."""
_UNASKED = ("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "CLAUDE_CODE_DISABLE_CRON")
"""What switches off that which begins turns that nobody asked for."""
_SIGNS_IN = ("ANTHROPIC_", "AWS_", "GOOGLE_", _CLAUDES)
"""Families in which Claude and its clouds look for a sign-in."""
_SECRET = re.compile(r"_(KEY|TOKEN|SECRET|CUSTOM_HEADERS)(_|$)")
"""What a secret is called: CLAUDE_CODE_MAX_OUTPUT_TOKENS is none."""


def find_claude(command: str | None) -> str:
    """Return the path of the claude to start.

    Raises:
        ProviderError: There is none; the fault is the agent's.
    """
    if command is None:
        if found := shutil.which("claude"):
            return found
        raise agent_error(
            "missing",
            "there is no claude on the PATH; install it (npm install -g @anthropic-ai/claude-code), "
            "or set the option command",
        )
    path = Path(command).expanduser()
    found = shutil.which(str(path) if os.sep in command else command)
    if found is None:
        raise agent_error("missing", f"{command!r} is no program that can be started; set the option command to claude")
    return found


def arguments(claude: str, options: Options, request: SessionRequest, session: Sequence[str]) -> list[str]:
    """Return the words that start a session; ``session`` says which.

    Raises:
        ConfigError: The words after ``--`` would switch asking off, or take the place of the session's settings.
    """
    refuse_bypass(request.arguments)
    refuse_settings(request.arguments)
    argv = [claude, *_ALWAYS, *session, f"--permission-mode={permission_mode(options, request.approval)}"]
    limits = {"--max-turns": options.max_turns, "--max-budget-usd": options.max_budget}
    return [*argv, *model_words(options), *_flags(limits), *request.arguments]


def model_words(options: Options) -> list[str]:
    """Return the words for the model and how hard it thinks, where the options say so."""
    return _flags({"--model": options.model, "--effort": options.effort})


def _flags(values: Mapping[str, object]) -> list[str]:
    return [f"{flag}={value}" for flag, value in values.items() if value is not None]


def permission_modes(approval: Approval) -> tuple[str, ...]:
    """Return the modes that a session may go on in: none writes by itself where the agent may only read."""
    return tuple(mode for mode in PERMISSION_MODES if approval is not Approval.READ_ONLY or mode != "acceptEdits")


def permission_mode(options: Options, approval: Approval) -> str:
    """Return Claude's own mode; one that asks for nothing is never among them."""
    if approval is Approval.READ_ONLY:
        return "default"
    return options.permission_mode or ("acceptEdits" if approval is Approval.DENY else "default")


def refuse_bypass(words: Sequence[str]) -> None:
    """Raise ConfigError where words would switch asking off."""
    for word in words:
        if word.partition("=")[0] in _BYPASS or word.partition("=")[2] in _BYPASS:
            raise ConfigError(
                f"{word} is not passed on: what claude may do is the agent's approval; use --approval auto"
            )


def refuse_settings(words: Sequence[str]) -> None:
    """Raise ConfigError where words name settings: claude keeps the last ones alone, and the session's rules were gone."""
    for word in words:
        if word.partition("=")[0] == "--settings":
            raise ConfigError(
                f"{word} is not passed on: it would take the place of the session's own rules; "
                "use a profile, or Claude's own settings.json"
            )


def environment(
    options: Options, request: SessionRequest, *, config: Path | None, place: Path, key: Secret | None
) -> dict[str, str]:
    """Return the environment of the process, built from a list.

    Args:
        options: More of it.
        request: What the core adds to it.
        config: The configuration directory, where it is not the user's own.
        place: A directory of its own for what is temporary, and for its sockets.
        key: An API key.

    With a directory or a key of the agent's own the user's sign-in in the environment stays outside, but for what
    ``pass_env`` names: claude would send their token beside the key.
    """
    env = {name: value for name, value in os.environ.items() if _passed_on(name) or name in options.pass_env}
    if config is not None or key is not None:
        env = {name: value for name, value in env.items() if name in options.pass_env or not _is_sign_in(name)}
    env |= {
        **config_variable(config),
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1",
        "CLAUDE_CODE_TMPDIR": str(place / "tmp"),
        "XDG_RUNTIME_DIR": str(place / "run"),
    }
    if not options.background:
        env |= dict.fromkeys(_UNASKED, "1")
    if key is not None:
        env["ANTHROPIC_API_KEY"] = key.reveal()
    # A profile's own CLAUDE_CONFIG_DIR would be neither the user's nor the option's.
    return {**env, **options.env, **{name: value for name, value in request.env.items() if name != _CONFIG}}


def config_variable(config: Path | None) -> dict[str, str]:
    """Return what says where the configuration is, also the user's own where the relay's environment names it."""
    where = config or os.environ.get(_CONFIG)
    return {_CONFIG: str(where)} if where else {}


def _is_sign_in(name: str) -> bool:
    return name.startswith(_SIGNS_IN) and _SECRET.search(name) is not None


def _passed_on(name: str) -> bool:
    if name.startswith(_CLAUDES):
        return name not in _OF_ANOTHER
    return name in _PASSED_ON or name.startswith(_FAMILIES)
