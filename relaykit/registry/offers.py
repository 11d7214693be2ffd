"""What plugins offer, and what became of each plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from types import NoneType
from typing import Any

import pluggy
from msgspec import Struct

from relaykit.errors import PluginError
from relaykit.model import NAME
from relaykit.plugin import API, CliCommand, Component, hooks
from relaykit.registry.blaming import blaming
from relaykit.registry.discovery import Found
from relaykit.registry.hints import near
from relaykit.registry.kinds import COMMANDS_HOOK, KINDS, Kind

HOOKS = tuple(name for name in vars(hooks) if name.startswith("relaykit_"))
"""The names of all hooks."""
_FIELDS: Mapping[str, tuple[Any, str]] = {
    "name": (str, "a string"),
    "summary": (str, "a string"),
    "open": (Callable, "a function"),
    "options_schema": (Mapping, "a mapping"),
    "check": ((Callable, NoneType), "a function"),
    "projects": ((Callable, NoneType), "a function"),
    "api": (int, "a whole number"),
    "target": (str, "a string"),
    "lent": (bool, "True or False"),
}
"""The fields of components and commands, with what they have to be."""


class PluginState(StrEnum):
    """What became of a plugin."""

    LOADED = "loaded"
    DISABLED = "disabled"
    """The configuration or RELAYKIT_PLUGINS leaves it out; it was not imported."""
    FAILED = "failed"
    """It could not be imported, or breaks the contract; nothing of it is used."""


class Offer(Struct, frozen=True, kw_only=True):
    """A component, and the plugin that offers it."""

    kind: Kind[Any]
    component: Component[Any]
    plugin: Found

    @property
    def whose(self) -> str:
        """The component as messages about its plugin's mistakes name it."""
        return f"{self.kind} {self.component.name!r} of plugin {self.plugin.blamed}"

    def blaming(self, field: str, place: str = "") -> AbstractContextManager[None]:
        """While that function of the component runs, what it raises by mistake becomes a PluginError with its name."""
        return blaming(f"{place and f'{place}: '}{self.whose}: {field}")

    def look(self, options: Mapping[str, Any]) -> str:
        """Return what the component's check finds, nothing where it has none; RelaykitError where something is missing."""
        if self.component.check is None:
            return ""
        with self.blaming("check"):
            return self.component.check(options)


class Plugin(Struct, frozen=True, kw_only=True):
    """A plugin, and what is known of it."""

    found: Found
    state: PluginState
    error: str = ""
    """Why it failed: one line."""
    hooks: tuple[str, ...] = ()
    """The hooks that it implements."""
    offers: tuple[Offer, ...] = ()
    commands: tuple[CliCommand, ...] = ()


def take_in(manager: pluggy.PluginManager, plugin: object, found: Found) -> Plugin:
    """Register a plugin and ask it what it offers.

    Raises:
        PluginError: It breaks the contract, or its hooks raise; it is registered no more.
    """
    others = manager.get_plugins()
    try:  # its own code runs here and may fail in any way: it is blamed, the others go on
        manager.register(plugin, found.name)
        _refuse_misspelt(manager, plugin)
        return _asked(manager, plugin, found, others)
    except (Exception, SystemExit) as exc:
        if manager.has_plugin(found.name):
            manager.unregister(name=found.name)
        reason = str(exc) if isinstance(exc, PluginError) else f"{type(exc).__name__}: {exc}"
        raise PluginError(f"plugin {found.blamed}: {reason}") from exc


def _asked(manager: pluggy.PluginManager, plugin: object, found: Found, others: Iterable[object]) -> Plugin:
    def ask(hook: str) -> Sequence[Any]:
        caller = manager.subset_hook_caller(hook, remove_plugins=others)
        results = caller()
        if caller.get_hookimpls() and not results:  # pluggy leaves None out
            raise PluginError(f"{hook} returns nothing; it has to return a list of components")
        return [item for result in results for item in _items(hook, result)]

    offers = tuple(
        Offer(kind=kind, component=_checked(kind, component), plugin=found)
        for kind in KINDS
        for component in ask(kind.hook)
    )
    commands = tuple(_command(command) for command in ask(COMMANDS_HOOK))
    _refuse_twice(f"{offer.kind} {offer.component.name!r}" for offer in offers)
    _refuse_twice(f"command {command.name!r}" for command in commands)
    implemented = tuple(sorted(caller.name for caller in manager.get_hookcallers(plugin) or ()))
    if unmarked := [hook for hook in HOOKS if hook not in implemented and callable(getattr(plugin, hook, None))]:
        raise PluginError(f"{unmarked[0]} is there without @hookimpl, so that nobody calls it")
    return Plugin(found=found, state=PluginState.LOADED, hooks=implemented, offers=offers, commands=commands)


def _refuse_misspelt(manager: pluggy.PluginManager, plugin: object) -> None:
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as exc:
        names = [caller.name for caller in manager.get_hookcallers(plugin) or () if not caller.has_spec()]
        raise PluginError(f"there is no hook {names[0]!r}{near(names[0], HOOKS)}" if names else str(exc)) from exc


def _items(hook: str, result: object) -> Iterable[Any]:
    if isinstance(result, Iterable) and not isinstance(result, (str, Mapping)):
        return result
    if close := getattr(result, "close", None):
        close()  # a coroutine that nobody awaits would complain later, and somewhere else
    raise PluginError(f"{hook} has to return a list of components, not {type(result).__name__}")


def _checked(kind: Kind[Any], component: object) -> Component[Any]:
    if not isinstance(component, Component):
        raise PluginError(f"{kind.hook} offers {component!r}, which is no Component")
    _refuse_mistyped(kind.word, component)
    if not NAME.fullmatch(component.name):
        raise PluginError(f"{kind} {component.name!r} has a name that no configuration can use")
    if component.api != API:
        remedy = "update relaykit" if component.api > API else "update the plugin"
        raise PluginError(
            f"{kind} {component.name!r} speaks contract {component.api}, this relaykit speaks {API}; {remedy}"
        )
    return component


def _command(command: object) -> CliCommand:
    if not isinstance(command, CliCommand):
        raise PluginError(f"{COMMANDS_HOOK} offers {command!r}, which is no CliCommand")
    _refuse_mistyped("command", command)
    if not NAME.fullmatch(command.name):
        raise PluginError(f"command {command.name!r} has a name that no command line can use")
    return command


def _refuse_mistyped(word: str, offered: Component[Any] | CliCommand) -> None:
    for field, (types, belongs) in _FIELDS.items():
        if not isinstance(value := getattr(offered, field, None), types) and field in offered.__struct_fields__:
            raise PluginError(f"{word} {offered.name!r}: {field} has to be {belongs}, not {type(value).__name__}")


def _refuse_twice(offered: Iterable[str]) -> None:
    seen: set[str] = set()
    for one in offered:
        if one in seen:
            raise PluginError(f"{one} is offered twice")
        seen.add(one)
