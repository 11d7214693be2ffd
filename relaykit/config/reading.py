"""Reading what file, environment and options say."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from relaykit.config import places
from relaykit.config.environment import from_environment, plugins_only
from relaykit.config.profile_directories import with_directories
from relaykit.config.source import Setting, Source
from relaykit.config.toml import read_toml
from relaykit.registry.problem import Place


def read(
    path: str | os.PathLike[str] | None = None,
    *,
    home: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] = os.environ,
    overrides: Sequence[Setting] = (),
) -> Source:
    """Read what file, environment and options say; nothing of it is checked yet.

    Args:
        path: The file of ``--config``; without it ``./relaykit.toml``, else the user's own, else none.
        home: The directory of ``--home``.
        environ: The environment.
        overrides: What options say, which wins.

    Raises:
        ConfigError: The file, or a file of a profile, cannot be read or is not TOML.
    """
    file = places.find_file(path, environ)
    tree = read_toml(file) if file else {}
    source = Source(tree=tree, origins=dict.fromkeys(_leaves(tree), str(file)), file=file, only=plugins_only(environ))
    said = [Setting(path=place, value=value, origin=name) for name, place, value in from_environment(environ)]
    if home is not None:
        said.append(Setting(path=("relay", "home"), value=os.fspath(home), origin="--home"))
    return with_directories(source.including([*said, *overrides]))


def _leaves(tree: Mapping[str, Any], path: Place = ()) -> Iterator[Place]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key)
