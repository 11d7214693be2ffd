"""Which codex is started, and how."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from relaykit.model import Base, without_credentials
from relaykit_codex import endpoint, servers
from relaykit_codex.faults import agent_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from relaykit.plugin import SessionRequest
    from relaykit_codex.options import Options

BUNDLED = "codex_cli_bin"
"""The package that brings a codex, but puts none on the PATH."""
_SIGN_INS = frozenset(
    {"OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_ACCESS_TOKEN", "OPENAI_FEDERATION_RULE_ID", "OPENAI_IDENTITY_TOKEN_FILE"}
)
"""What Codex signs in with from the environment; some of it before the key that it was given."""


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


def arguments(codex: str, *more: str, socket: Path | None = None) -> list[str]:
    """Return the words that start an app-server on its standard input and output, or on a socket."""
    listen = ["--listen", f"unix://{socket}"] if socket else []
    return [codex, "app-server", *listen, *more]


def socket_path(home: Path, name: str) -> Path:
    """Return where the app-server of an agent listens: in a directory below the agent's that nobody else may enter.

    What codex puts there is a link to a socket as private, whose own path is short enough for the kernel.
    """
    directory = home / "socket"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    for link in directory.iterdir():  # one that a killed codex left behind leads nowhere
        if not link.exists():
            link.unlink(missing_ok=True)
    return directory / name


def home_of(options: Options, home: Path, request: SessionRequest) -> Path | None:
    """Return the CODEX_HOME to set for a session, below the agent's home where it is private; None is the user's."""
    isolated = request.profile is not None and request.profile.base is Base.ISOLATED
    return options.home(home, isolated=isolated)


def key(argv: Sequence[str], home: Path | None, options: Options, request: SessionRequest) -> str:
    """Return what a detached app-server is known by: one that is wanted otherwise has another key."""
    wanted = (argv, home, options, request.cwd, request.approval, request.instructions, request.profile)
    return hashlib.sha256(repr(wanted).encode()).hexdigest()[:32]


def environment(request: SessionRequest, home: Path | None, *, signed_in: bool = False) -> Mapping[str, str]:
    """Return the environment of the process; a CODEX_HOME of its own is made, 0700.

    Args:
        request: What the core adds to it.
        home: The CODEX_HOME, where it is not the user's own.
        signed_in: Whether the agent has a key of its own: the user's sign-in stays outside then.
    """
    users = without_credentials(os.environ)
    own = {
        **{name: value for name, value in users.items() if not (signed_in and name in _SIGN_INS)},
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
