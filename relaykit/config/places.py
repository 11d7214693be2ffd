"""Where configuration and state are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from relaykit.errors import ConfigError

APP = "relaykit"
HERE = "relaykit.toml"


def here() -> Path:
    """Return the directory where the command was given; ConfigError where it was deleted since."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ConfigError("the directory that you are in is gone; go to another one") from None


def resolved(path: str, base: Path | None) -> Path:
    """Return a path as the configuration means it: ``~`` is the user's home, else it begins at the base, or here."""
    # os.path leaves an unknown ~name alone, where pathlib raises.
    said = Path(os.path.expanduser(path))  # noqa: PTH111
    return Path(os.path.normpath(said if said.is_absolute() else (base or here()) / said))


def default_home() -> Path:
    """Return the user's own directory for what programs keep."""
    return _base("XDG_STATE_HOME", ".local/state", os.environ) / APP


def find_file(named: str | os.PathLike[str] | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the configuration file: the named one, else ``relaykit.toml`` here, else the user's own.

    Raises:
        ConfigError: The named one is not there, or is a directory.
    """
    if named is not None:
        path = resolved(os.fspath(named), None)
        if path.is_dir():
            raise ConfigError(f"{path}: this is a directory; name the file, as {path / HERE}")
        if not path.is_file():
            raise ConfigError(f"{path}: there is no such file; `relaykit config init` writes one")
        return path
    return next((path for path in (*_beside(), user_file(environ)) if path.is_file()), None)


def _beside() -> Iterator[Path]:
    """Yield the file of this directory; a directory that was deleted has none."""
    with suppress(ConfigError):
        yield here() / HERE


def user_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the user's own configuration is."""
    return _base("XDG_CONFIG_HOME", ".config", environ) / APP / "config.toml"


def _base(variable: str, default: str, environ: Mapping[str, str]) -> Path:
    """Return a directory of the XDG specification, by which a variable counts only where it is an absolute path."""
    said = Path(environ.get(variable, ""))
    # os.path leaves a ~ alone that is nobody's, where pathlib raises.
    return said if said.is_absolute() else Path(os.path.expanduser("~"), default)  # noqa: PTH111
