"""From what was said to a checked configuration, every problem in one error."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from relaykit.config.assembly import SINGLE_USES, checker
from relaykit.config.build import build
from relaykit.config.environment import is_traced
from relaykit.config.peeking import disabled_in
from relaykit.config.reading import read
from relaykit.config.records import Config, PluginsConfig
from relaykit.config.rules import broken_rules
from relaykit.config.source import Setting, Source
from relaykit.errors import ConfigError, PluginError
from relaykit.registry import load as load_plugins

if TYPE_CHECKING:
    from relaykit.registry import Problem, Registry

_ALWAYS = {"transports": {"local": {"use": "local"}}, "routers": {"address": {"use": "address"}}}


def load(
    path: str | os.PathLike[str] | None = None,
    *,
    registry: Registry | None = None,
    home: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] = os.environ,
    overrides: Sequence[Setting] = (),
) -> Config:
    """Read and check a configuration.

    Args:
        path: The file; without it ``./relaykit.toml``, else the user's own, else none.
        registry: The components; without it those of the plugins that the configuration leaves on.
        home: The relay's home, whatever the others say.
        environ: The environment.
        overrides: What options say, which wins.

    Raises:
        ConfigError: All that is wrong with it.
        PluginError: The plugins contradict each other.
    """
    source = read(path, home=home, environ=environ, overrides=overrides)
    return check(source, plugins(source, environ) if registry is None else registry)


def plugins(source: Source, environ: Mapping[str, str] = os.environ) -> Registry:
    """Load the plugins that the configuration and the environment leave on."""
    choice = plugin_choice(source)
    trace = sys.stderr if is_traced(environ) else None
    return load_plugins(disabled=choice.disabled, only=choice.only, trace=trace)


def plugin_choice(source: Source) -> PluginsConfig:
    """Return which plugins are wanted; what does not fit here is named by the check."""
    return PluginsConfig(disabled=disabled_in(source.tree), only=source.only)


def check(source: Source, registry: Registry) -> Config:
    """Return the configuration; ConfigError holds all that is wrong with it."""
    tree = filled_in(source.tree)
    if problems := _problems(source, tree, registry):
        raise ConfigError([source.line(problem) for problem in problems])
    return build(source, tree, registry)


def filled_in(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tree with what is always there, so that every component's options are checked."""
    filled = dict(tree)
    for section, uses in _ALWAYS.items():
        if isinstance(said := filled.get(section, {}), Mapping):
            filled[section] = {**{name: use for name, use in uses.items() if name not in said}, **said}
    for section, (_, default) in SINGLE_USES.items():
        if isinstance(said := filled.get(section, {}), Mapping):
            filled[section] = {"use": default, **said}
    if isinstance(agents := filled.get("agents"), Mapping):
        filled["agents"] = {
            name: {"options": {}, **said} if isinstance(said, Mapping) else said for name, said in agents.items()
        }
    return filled


def _problems(source: Source, tree: Mapping[str, Any], registry: Registry) -> list[Problem]:
    """Return all problems by place; where a rule has one to name, what the schema says of that place is left out."""
    rules = list(dict.fromkeys(broken_rules(source, tree, registry)))
    places = {problem.path for problem in rules}
    try:
        found = checker(registry).problems(tree)
    except PluginError:
        registry.check_schemas()  # says which component's part of the schema it is
        raise
    schema = [problem for problem in found if problem.path not in places]
    return sorted([*rules, *schema], key=lambda problem: [str(part) for part in problem.path])
