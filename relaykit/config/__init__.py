"""Configuration: TOML to records, every problem in one error."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relaykit.config.assembly import schema
    from relaykit.config.loading import check, load, plugin_choice, plugins
    from relaykit.config.peeking import Peek, peek
    from relaykit.config.records import AgentConfig, Config, PluginsConfig, ProfileConfig, Retention, UseConfig
    from relaykit.config.show import as_toml, settings
    from relaykit.config.source import Setting, Source, read

_HOMES = {
    "assembly": ("schema",),
    "loading": ("check", "load", "plugin_choice", "plugins"),
    "peeking": ("Peek", "peek"),
    "records": ("AgentConfig", "Config", "PluginsConfig", "ProfileConfig", "Retention", "UseConfig"),
    "show": ("as_toml", "settings"),
    "source": ("Setting", "Source", "read"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AgentConfig",
    "Config",
    "Peek",
    "PluginsConfig",
    "ProfileConfig",
    "Retention",
    "Setting",
    "Source",
    "UseConfig",
    "as_toml",
    "check",
    "load",
    "peek",
    "plugin_choice",
    "plugins",
    "read",
    "schema",
    "settings",
]


def __getattr__(name: str) -> object:
    """Import what is asked for: a look at the home does not pay for the check."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
