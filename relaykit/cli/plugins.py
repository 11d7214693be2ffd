"""``relaykit plugins``: what is installed, and what it offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relaykit.cli.calling import examples
from relaykit.cli.installed import installed
from relaykit.cli.options import Json
from relaykit.cli.output import painted, plain, say, say_json

if TYPE_CHECKING:
    from relaykit.registry import Plugin

_COLOURS = {"loaded": "green", "disabled": "dim", "failed": "red"}


@examples("relaykit plugins", "RELAYKIT_PLUGINS=codex relaykit plugins --json")
def plugins(json: Json = False) -> None:
    """List the plugins that are installed, what became of each, and what each offers.

    RELAYKIT_PLUGINS=a,b loads just these and the built-in ones; RELAYKIT_TRACE_PLUGINS=1 shows every hook call.
    """
    found = installed().plugins
    if json:
        say_json({"plugins": [_document(plugin) for plugin in found]})
        return
    for plugin in found:
        _say(plugin)


def _say(plugin: Plugin) -> None:
    state = painted(plugin.state.value, _COLOURS[plugin.state.value])
    say(f"{painted(plugin.found.name, 'bold')}  {plugin.found.origin}  {state}")
    if plugin.error:
        say(f"    {plain(plugin.error)}")
    for offer in plugin.offers:
        say(f"    {offer.kind.word} {offer.component.name}: {plain(offer.component.summary)}")
    for command in plugin.commands:
        say(f"    command {command.name}: {plain(command.summary)}")


def _document(plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.found.name,
        "target": plugin.found.target,
        "distribution": plugin.found.distribution,
        "version": plugin.found.version,
        "state": plugin.state.value,
        "error": plugin.error,
        "hooks": list(plugin.hooks),
        "components": [
            {"kind": offer.kind.word, "name": offer.component.name, "summary": offer.component.summary}
            for offer in plugin.offers
        ],
        "commands": [{"name": command.name, "summary": command.summary} for command in plugin.commands],
    }
