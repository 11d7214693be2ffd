"""The components of every loaded plugin, by kind and name."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from relaykit.errors import ConfigError, PluginError
from relaykit.plugin import PROJECT, CliCommand, Component, Context, hooks
from relaykit.registry.discovery import Found
from relaykit.registry.kinds import (
    CREDENTIAL_STORE,
    MAILBOX,
    PROVIDER,
    ROUTER,
    SESSION_STORE,
    STATUS_SINK,
    TRANSPORT,
    Kind,
)
from relaykit.registry.missing import explain
from relaykit.registry.offers import Offer, Plugin, PluginState, take_in
from relaykit.registry.schema import Checker
from relaykit.registry.trace import trace_hooks

if TYPE_CHECKING:
    from typing import TextIO

    from relaykit.plugin import (
        CredentialStore,
        Mailbox,
        Provider,
        Router,
        SessionStore,
        StatusSink,
        Transport,
    )

T = TypeVar("T")


class Registry:
    """The components of every loaded plugin, by kind and name. ``load`` builds one; it is passed, never global."""

    def __init__(self, *, trace: TextIO | None = None) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hooks)
        if trace is not None:
            trace_hooks(self._manager, trace)
        self._plugins: list[Plugin] = []
        self._offers: dict[tuple[Kind[Any], str], Offer] = {}
        self._commands: dict[str, tuple[CliCommand, Found]] = {}
        self._checkers: dict[tuple[Kind[Any], str], Checker] = {}

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """Every plugin that was found, in the order of their names, the disabled and failed ones too."""
        return tuple(sorted(self._plugins, key=lambda plugin: plugin.found.name))

    def take_in(self, plugin: object, found: Found) -> Plugin:
        """Ask a plugin what it offers; PluginError where it breaks the contract. Nothing is kept until ``note``."""
        return take_in(self._manager, plugin, found)

    def note(self, plugin: Plugin) -> None:
        """Keep a plugin and what it offers; PluginError where another one offers a component of that name."""
        for offer in plugin.offers:
            if other := self._offers.get((offer.kind, offer.component.name)):
                raise _conflict(offer.kind.word, offer.component.name, other.plugin, plugin.found)
        for command in plugin.commands:
            if command.name in self._commands:
                raise _conflict("command", command.name, self._commands[command.name][1], plugin.found)
        self._offers |= {(offer.kind, offer.component.name): offer for offer in plugin.offers}
        self._commands |= {command.name: (command, plugin.found) for command in plugin.commands}
        self._plugins.append(plugin)

    def register(self, plugin: object, name: str) -> Plugin:
        """Add a plugin that no distribution names: an application's own, a test's."""
        found = Found(name=name, target=getattr(plugin, "__name__", type(plugin).__name__), distribution="", version="")
        taken = self.take_in(plugin, found)
        try:
            self.note(taken)
        except PluginError:
            self._manager.unregister(plugin)
            raise
        return taken

    def add(self, kind: Kind[T], component: Component[T]) -> None:
        """Add one component that the application made itself."""
        name = f"{kind.word} {component.name}"
        found = Found(name=name, target="", distribution="", version="")
        offer = Offer(kind=kind, component=component, plugin=found)
        self.note(Plugin(found=found, state=PluginState.LOADED, offers=(offer,)))

    def components(self, kind: Kind[T]) -> Mapping[str, Component[T]]:
        """Return the components of a kind by name, in the order of their names."""
        found = {name: offer.component for (of, name), offer in self._offers.items() if of == kind}
        return dict(sorted(found.items()))

    def component(self, kind: Kind[T], name: str) -> Component[T]:
        """Return a component; ConfigError says what may have been meant, or what is to be installed."""
        return self.offer(kind, name).component

    def offer(self, kind: Kind[Any], name: str) -> Offer:
        """Return a component with its plugin; ConfigError as ``component``."""
        if (offer := self._offers.get((kind, name))) is None:
            raise ConfigError(self.explain_missing(kind, name))
        return offer

    def explain_missing(self, kind: Kind[Any], name: str) -> str:
        """Return why there is no component of that name, and the remedy."""
        return explain(kind, name, self.components(kind), self._plugins)

    def checker(self, kind: Kind[Any], name: str) -> Checker:
        """Return what checks a component's options; it is built once."""
        key = (kind, name)
        if key not in self._checkers:
            offer = self.offer(kind, name)
            self._checkers[key] = Checker(offer.component.options_schema, of=offer.whose)
        return self._checkers[key]

    def check_schemas(self) -> None:
        """Raise PluginError where a component's schema of options is no JSON Schema, with whose it is."""
        for kind, name in self._offers:
            self.checker(kind, name).check_schema()

    def open(
        self, kind: Kind[T], name: str, options: Mapping[str, Any], context: Context
    ) -> AbstractAsyncContextManager[T]:
        """Check the options, then open the component: entering what is returned starts it, leaving stops it.

        Raises:
            ConfigError: There is no such component, or options that do not fit, all of them.
        """
        component = self.component(kind, name)
        if problems := self.checker(kind, name).problems(options):
            raise ConfigError([str(problem.under(context.name)) for problem in problems])
        return component.open(options, context)

    def cli_commands(self) -> tuple[CliCommand, ...]:
        """Return the commands that plugins add, by name."""
        return tuple(self._commands[name][0] for name in sorted(self._commands))

    @property
    def transports(self) -> Mapping[str, Component[Transport]]:
        """The transports by name."""
        return self.components(TRANSPORT)

    @property
    def providers(self) -> Mapping[str, Component[Provider]]:
        """The providers by name."""
        return self.components(PROVIDER)

    @property
    def routers(self) -> Mapping[str, Component[Router]]:
        """The routers by name."""
        return self.components(ROUTER)

    @property
    def credential_stores(self) -> Mapping[str, Component[CredentialStore]]:
        """The credential stores by name."""
        return self.components(CREDENTIAL_STORE)

    @property
    def status_sinks(self) -> Mapping[str, Component[StatusSink]]:
        """The status sinks by name."""
        return self.components(STATUS_SINK)

    @property
    def mailboxes(self) -> Mapping[str, Component[Mailbox]]:
        """The mailboxes by name."""
        return self.components(MAILBOX)

    @property
    def session_stores(self) -> Mapping[str, Component[SessionStore]]:
        """The session stores by name."""
        return self.components(SESSION_STORE)


def _conflict(word: str, name: str, one: Found, other: Found) -> PluginError:
    return PluginError(f"{word} {name!r} is offered by both {one.blamed} and {other.blamed}; disable one")
