"""Why there is no component of a name, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from relaykit.registry.hints import nearest
from relaykit.registry.kinds import PROVIDER, TRANSPORT

if TYPE_CHECKING:
    from relaykit.registry.kinds import Kind
    from relaykit.registry.offers import Plugin

EXTRAS: dict[str, Kind[Any]] = {"claude": PROVIDER, "codex": PROVIDER, "signaldock": TRANSPORT}
"""The components that come with an extra of relaykit, which has their name."""


def explain(kind: Kind[Any], name: str, known: Collection[str], plugins: Sequence[Plugin]) -> str:
    """Return what is wrong with a name and what would be right."""
    unknown = f"unknown {kind} {name!r}"
    if reason := _not_loaded(name, plugins):
        return f"{unknown}; {reason}"
    extras = [extra for extra, of in EXTRAS.items() if of == kind and extra not in known]
    meant = nearest(name, {*known, *extras})
    remedies = []
    if meant is not None and meant != name:
        remedies.append(f"did you mean {meant!r}?")
    if meant in extras:
        remedies.append(_not_loaded(meant, plugins) or f'install it with: pip install "relaykit[{meant}]"')
    failed = [plugin.error for plugin in plugins if plugin.error]
    remedies += [f"it may be of one that failed: {error}" for error in failed if meant is None]
    return "; ".join([unknown, *(remedies or _there(known, plugins))])


def _there(known: Collection[str], plugins: Sequence[Plugin]) -> Iterator[str]:
    """Yield what there is to choose from; where that is nothing, also the plugins that were left out."""
    yield f"installed: {', '.join(sorted(known)) or 'none'}"
    disabled = [plugin.found.name for plugin in plugins if plugin.state == "disabled"]
    if disabled and not known:
        yield f"these plugins are disabled: {', '.join(disabled)}"


def _not_loaded(name: str, plugins: Sequence[Plugin]) -> str | None:
    """Return why the plugin that has the component's name is not there."""
    for plugin in plugins:
        if plugin.found.name == name and plugin.error:
            return plugin.error
        if plugin.found.name == name and plugin.state == "disabled":
            return f"plugin {plugin.found.blamed} is disabled by the configuration or RELAYKIT_PLUGINS"
    return None
