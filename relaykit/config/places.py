"""Where configuration and state are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from relaykit.errors import ConfigError

APP = "relaykit"
HERE = "relaykit.toml"


def resolved(path: str, base: Path) -> Path:
    """Return a path as the configuration means it: ``~`` is the user's home, else it begins at the base."""
    # os.path leaves an unknown ~name alone, where pathlib raises.
    return Path(os.path.normpath(base / os.path.expanduser(path)))  # noqa: PTH111


def default_home() -> Path:
    """Return the platform's directory for what programs keep."""
    from platformdirs import user_state_dir  # noqa: PLC0415 - only where nobody says

    return Path(user_state_dir(APP))


def find_file(named: str | os.PathLike[str] | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the configuration file: the named one, else ``relaykit.toml`` here, else the user's own.

    Raises:
        ConfigError: The named one is not there.
    """
    if named is not None:
        path = resolved(os.fspath(named), Path.cwd())
        if not path.is_file():
            raise ConfigError(f"{path}: there is no such file; `relaykit config init` writes one")
        return path
    return next((path for path in (Path.cwd() / HERE, user_file(environ)) if path.is_file()), None)


def user_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the user's own configuration is."""
    if base := environ.get("XDG_CONFIG_HOME"):
        return Path(base) / APP / "config.toml"
    from platformdirs import user_config_dir  # noqa: PLC0415 - only where nobody says

    return Path(user_config_dir(APP)) / "config.toml"
