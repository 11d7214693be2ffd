"""What a schema cannot say: names that refer to each other, directories, addresses, secrets that stand in the open."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from relaykit.config.assembly import NAMED_USES, SINGLE_USES
from relaykit.config.places import resolved
from relaykit.config.profiles import broken_profiles
from relaykit.config.source import Source
from relaykit.model import USER
from relaykit.registry.hints import near, nearest
from relaykit.registry.kinds import PROVIDER, Kind
from relaykit.registry.masking import is_secret_key
from relaykit.registry.problem import Place, Problem

if TYPE_CHECKING:
    from relaykit.registry import Registry

_RESERVED = {USER: "the person at this machine is called that", "broadcast": "that is everyone's address"}


def broken_rules(source: Source, tree: Mapping[str, Any], registry: Registry) -> Iterator[Problem]:
    """Yield all that is wrong with a tree, which need not fit its schema."""
    yield from _values(tree, ())
    yield from _agents(source, tree)
    yield from broken_profiles(source, _table(tree, "profiles"))
    for name, profile in _table(tree, "profiles").items():
        yield from _secrets(_tables(profile), {}, ("profiles", name))
    yield from _disabled(tree, registry)
    for path, options, kind, name in _options(tree):
        known = registry.components(kind).get(name)
        yield from _secrets(options, known.options_schema if known else {}, path)


def _values(value: object, path: Place) -> Iterator[Problem]:
    """Yield the values that TOML has and nothing here can use."""
    match value:
        case Mapping():
            for key, inner in value.items():
                yield from _values(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from _values(inner, (*path, index))
        case str() if "\0" in value:
            yield Problem(path, "a NUL character stands in it; take it out")
        case float() if not math.isfinite(value):
            yield Problem(path, f"{value} is no number that can be used; write a finite one")
        case bool() | int() | float() | str():
            return
        case None:
            yield Problem(path, "there is no value; leave the key out")
        case _:
            yield Problem(path, "dates and times are not used here; write it in quotes")


def _agents(source: Source, tree: Mapping[str, Any]) -> Iterator[Problem]:
    profiles = _table(tree, "profiles")
    agents = _table(tree, "agents")
    for name, agent in agents.items():
        path: Place = ("agents", name)
        if name in _RESERVED:
            yield Problem(path, f"an agent cannot be called {name!r}: {_RESERVED[name]}")
        if not isinstance(agent, Mapping):
            continue
        if isinstance(profile := agent.get("profile"), str) and profile not in profiles:
            hint = near(profile, profiles, "profiles")
            yield Problem((*path, "profile"), f"there is no profile {profile!r}{hint}")
        if isinstance(cwd := agent.get("cwd"), str) and cwd and "\0" not in cwd:
            yield from _directory((*path, "cwd"), cwd, source)
    if source.agent is not None and source.agent not in agents:
        yield Problem(("agents",), f"there is no agent {source.agent!r}{near(source.agent, agents, 'agents')}")


def _directory(path: Place, cwd: str, source: Source) -> Iterator[Problem]:
    place = resolved(cwd, source.base(path))
    if not os.path.isdir(place):  # noqa: PTH112 - pathlib raises where a name is too long
        yield Problem(path, f"{place} is no directory; create it, or name another")


def _disabled(tree: Mapping[str, Any], registry: Registry) -> Iterator[Problem]:
    """Yield names that are misspelt, and what is always needed; a plugin that is not installed here may be elsewhere."""
    plugins = [plugin.found.name for plugin in registry.plugins]
    needed = [plugin.found.name for plugin in registry.plugins if plugin.found.is_needed]
    names = _table(tree, "plugins").get("disabled")
    for index, name in enumerate(names if isinstance(names, list) else ()):
        if name in needed:
            yield Problem(("plugins", "disabled", index), f"no relay runs without {name!r}; take it out")
        if isinstance(name, str) and name not in plugins and (meant := nearest(name, plugins)):
            yield Problem(("plugins", "disabled", index), f"there is no plugin {name!r}; did you mean {meant!r}?")


def _options(tree: Mapping[str, Any]) -> Iterator[tuple[Place, Mapping[str, Any], Kind[Any], str]]:
    """Yield every table of options with its place, and the component that it is for."""
    for name, agent in _table(tree, "agents").items():
        if isinstance(agent, Mapping) and isinstance(options := agent.get("options"), Mapping):
            yield ("agents", name, "options"), options, PROVIDER, str(agent.get("provider"))
    for section, kind in NAMED_USES.items():
        for name, use in _table(tree, section).items():
            if isinstance(use, Mapping):
                yield (section, name), use, kind, str(use.get("use"))
    for section, (kind, default) in SINGLE_USES.items():
        use = _table(tree, section)
        yield (section,), use, kind, str(use.get("use", default))


def _secrets(options: Mapping[str, Any], schema: Mapping[str, Any], path: Place) -> Iterator[Problem]:
    known = _table(schema, "properties")
    for key, value in options.items():
        inner = known.get(key, {}) if isinstance(known.get(key, {}), Mapping) else {}
        if isinstance(value, Mapping):
            yield from _secrets(value, inner, (*path, key))
        elif is_secret_key(key) and inner.get("format") != "credential" and _holds_text(value):
            yield Problem(
                (*path, key),
                "a secret does not belong in a configuration; keep it in the credential store, "
                "and name it with the option that takes a credential",
            )


def _tables(profile: object) -> Mapping[str, Any]:
    """Return what of a profile may hold a secret: what is spelt out in tables, not its texts."""
    known = profile if isinstance(profile, Mapping) else {}
    return {key: inner for key, inner in known.items() if key in ("env", "mcp_servers") and isinstance(inner, Mapping)}


def _holds_text(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and any(map(_holds_text, value)))


def _table(tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = tree.get(key, {})
    return inner if isinstance(inner, Mapping) else {}
