"""What the systemd units of a relay and of a dock say, here and now."""

from __future__ import annotations

import getpass
import os
import pwd
import re
import sys
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING

from relaykit.cli.adhoc import RunOptions
from relaykit.cli.configured import configured
from relaykit.cli.unit_text import Unit
from relaykit.config import peek
from relaykit.config.places import default_home, here
from relaykit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["dock_unit", "owner", "relay_unit"]

_STATE = Path("/var/lib/relaykit")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_DRAIN_SECONDS = 10.0
_AFTER_DRAINING = 50.0
"""Seconds in which interrupted turns are put down and agents end; systemd kills what is left then."""
_DOCK_STOP_SECONDS = 30.0


def relay_unit(name: str | None, user: str | None, config: Path | None, words: Sequence[str]) -> Unit:
    """Return the unit of a relay, whose configuration has to be good.

    Raises:
        ConfigError: The configuration does not fit, or there is none.
    """
    name = _named(name or "relaykit")
    file, drain, outlived = peek(config).file, _DRAIN_SECONDS, False
    directory = here() if file is None else file.parent
    if config is not None or not any(word.partition("=")[0] == "--provider" for word in words):
        with chdir(directory):  # where it will run: what is relative begins there
            setting, _ = configured(file, RunOptions(), None)
        drain = setting.drain_seconds
        outlived = any(agent.options.get("detached") is True for agent in setting.agents)
    home = _home(config, user)
    said = [] if file is None else ["--config", str(file)]
    return Unit(
        name=name,
        description=f"relaykit: the agents of {home}",
        argv=[*_program(), "run", "--headless", *said, *words],
        home=str(home),
        keeps_home=home == _STATE,
        runs_agents=True,
        outlived=outlived,
        user=user,
        directory=str(directory),
        environment=_environment(),
        stop_seconds=drain + _AFTER_DRAINING,
    )


def dock_unit(name: str | None, user: str | None, words: Sequence[str]) -> Unit:
    """Return the unit of a dock."""
    about, home = peek(), _home(None, user)
    beside = about.file is not None and about.file.parent == here()
    return Unit(
        name=_named(name or "relaykit-dock"),
        description=f"relaykit dock of {home}",
        argv=[*_program(), "dock", "serve", *words],
        home=str(home),
        keeps_home=home == _STATE,
        runs_agents=False,
        user=user,
        directory=str(here()) if beside else None,
        environment=_environment(),
        stop_seconds=_DOCK_STOP_SECONDS,
    )


def owner(said: str | None) -> str:
    """Return whom a unit of the system runs as.

    Raises:
        UsageError: Nobody has that name, or nobody was named and this is root.
    """
    if said is None and os.getuid() == 0:
        raise UsageError("say --run-as USER: agents run as root only if that is what you say")
    name = said or getpass.getuser()
    try:
        return pwd.getpwnam(name).pw_name
    except KeyError:
        raise UsageError(f"--run-as: this machine has no user {name!r}") from None


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(f"--name: {name!r} is no name of a unit; letters, digits, '-', '_' and '.' are")
    return name


def _home(config: Path | None, user: str | None) -> Path:
    """Return the home that was said; of a unit of the system where none was, systemd's place for it."""
    found = peek(config).home
    return _STATE if user is not None and found == default_home() else found.absolute()


def _program() -> Sequence[str]:
    """Return how this program is started, whatever PATH is then."""
    script = Path(sys.executable).with_name("relaykit")
    return [str(script)] if script.is_file() else [sys.executable, "-m", "relaykit"]


def _environment() -> Mapping[str, str]:
    """Return what systemd would not set: where the agents' programs are."""
    return {"PATH": os.environ.get("PATH", os.defpath)}
