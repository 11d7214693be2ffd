"""Configuration: TOML to records, every problem in one error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.lazily import lazily

if TYPE_CHECKING:
    from relaykit.config.assembly import schema
    from relaykit.config.loading import check, load, plugin_choice, plugins
    from relaykit.config.peeking import Peek, disabled_plugins, peek
    from relaykit.config.reading import read
    from relaykit.config.records import AgentConfig, Config, PluginsConfig, Retention, UseConfig
    from relaykit.config.show import as_toml, settings
    from relaykit.config.source import Setting, Source

_HOMES = {
    "assembly": ("schema",),
    "loading": ("check", "load", "plugin_choice", "plugins"),
    "peeking": ("Peek", "disabled_plugins", "peek"),
    "reading": ("read",),
    "records": ("AgentConfig", "Config", "PluginsConfig", "Retention", "UseConfig"),
    "show": ("as_toml", "settings"),
    "source": ("Setting", "Source"),
}

__all__ = [
    "AgentConfig",
    "Config",
    "Peek",
    "PluginsConfig",
    "Retention",
    "Setting",
    "Source",
    "UseConfig",
    "as_toml",
    "check",
    "disabled_plugins",
    "load",
    "peek",
    "plugin_choice",
    "plugins",
    "read",
    "schema",
    "settings",
]

# A look at the home does not pay for the check.
__getattr__ = lazily(__name__, _HOMES)
