"""The commands that plugins add: looked for only where a built-in one is not meant."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from relaykit.cli.table import PLUGINS, Entry
from relaykit.errors import PluginError

if TYPE_CHECKING:
    from relaykit.plugin import CliCommand
    from relaykit.registry import Found


def added_commands() -> list[Entry]:
    """Return what installed plugins add; their registration modules are imported, their commands are not.

    relaykit's own plugins are passed over: what they have is in the table.
    """
    from relaykit.registry.discovery import discover  # noqa: PLC0415 - reads the metadata of all that is installed

    try:
        found = [plugin for plugin in discover() if not plugin.is_builtin]
        if not found:
            return []
        from relaykit.cli.installed import installed  # noqa: PLC0415 - not needed without plugins

        plugins = installed(found=found).plugins
    except PluginError as error:
        sys.stderr.write(f"relaykit: {error}; `relaykit doctor` says more\n")
        return []
    entries = [_entry(command, plugin.found) for plugin in plugins for command in plugin.commands]
    return sorted(entries, key=lambda entry: entry.words)


def _entry(command: CliCommand, plugin: Found) -> Entry:
    return Entry(command.name, command.summary, command.target, PLUGINS, command.lent, plugin.blamed)
