"""A look at the few values that a quick command needs, without plugins and without the check."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from relaykit.config import places
from relaykit.errors import ConfigError


class Peek(Struct, frozen=True, kw_only=True):
    """Where the relay keeps its things, and whether its mailbox is the everyday one."""

    home: Path
    file: Path | None
    plain: bool
    """The configuration says nothing of mailbox, routers or limits: a quick command may open the default itself."""


def peek(
    path: str | os.PathLike[str] | None = None,
    *,
    home: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Peek:
    """Return where the home is, by option, environment, file and default in this order.

    Raises:
        ConfigError: The file cannot be read, is not TOML, or names a home that is no path.
    """
    file = places.find_file(path, environ)
    tree = _read(file) if file else {}
    relay = _table(tree, "relay")
    plain = not (_table(relay, "limits") or _table(tree, "mailbox") or _table(tree, "routers"))
    if said := home or environ.get("RELAYKIT_HOME"):
        return Peek(home=places.resolved(os.fspath(said), None), file=file, plain=plain)
    named = relay.get("home")
    if file is None or not named:
        return Peek(home=places.default_home(), file=file, plain=plain)
    if not isinstance(named, str):
        raise ConfigError(f"{file}: relay.home: a string belongs here; `relaykit config check` says more")
    return Peek(home=places.resolved(named, file.parent), file=file, plain=plain)


def disabled_plugins(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the plugins that the configuration leaves out; none where it cannot be read, which the check tells."""
    try:
        file = places.find_file(None, environ)
        return disabled_in(_read(file)) if file else ()
    except ConfigError:
        return ()


def disabled_in(tree: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the plugins that a configuration leaves out; what does not fit here is named by the check."""
    names = _table(tree, "plugins").get("disabled")
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def _read(file: Path) -> Mapping[str, Any]:
    from relaykit.config.toml import read_toml  # noqa: PLC0415 - only where there is a file

    return read_toml(file)


def _table(tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = tree.get(key, {})
    return inner if isinstance(inner, Mapping) else {}
