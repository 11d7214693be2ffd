"""Import what was found, and go on without what cannot be imported."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from relaykit.errors import PluginError
from relaykit.registry.discovery import Found, chosen, discover
from relaykit.registry.offers import Plugin, PluginState
from relaykit.registry.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import TextIO


def load(
    *,
    disabled: Collection[str] = (),
    only: Collection[str] | None = None,
    trace: TextIO | None = None,
    found: Iterable[Found] | None = None,
) -> Registry:
    """Build a registry of the installed plugins.

    A plugin that cannot be imported, or breaks the contract, is noted with its error; the others are loaded.

    Args:
        disabled: Plugins that are not imported.
        only: If given, just these and the built-in ones are.
        trace: Where every hook call is written.
        found: The plugins, where the installed ones are not meant.

    Raises:
        PluginError: Two plugins claim one name, or ``only`` names one that is not installed.
    """
    registry = Registry(trace=trace)
    plugins = discover() if found is None else list(found)
    wanted = chosen(plugins, disabled, only)
    for plugin in plugins:
        if plugin.name not in wanted:
            registry.note(Plugin(found=plugin, state=PluginState.DISABLED))
            continue
        try:
            taken = registry.take_in(_imported(plugin), plugin)
        except PluginError as exc:
            taken = Plugin(found=plugin, state=PluginState.FAILED, error=" ".join(str(exc).split()))
        registry.note(taken)
    return registry


def _imported(plugin: Found) -> object:
    module, _, attribute = plugin.target.partition(":")
    try:  # its own code runs here and may fail in any way: it is blamed, the others go on
        imported: object = import_module(module.strip())
        return getattr(imported, attribute.strip()) if attribute else imported
    except (Exception, SystemExit) as exc:
        reason = str(exc) if isinstance(exc, ImportError) else f"{type(exc).__name__}: {exc}"
        raise PluginError(f"plugin {plugin.blamed} could not be imported: {reason}") from exc
