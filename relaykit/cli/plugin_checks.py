"""What ``relaykit doctor`` looks at: plugins, configuration, and what the providers need."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from relaykit.cli.credential_checks import credential_store
from relaykit.cli.finding import Finding, Level
from relaykit.config import Source, check, plugins, read
from relaykit.config.environment import plugins_only
from relaykit.errors import ConfigError, RelaykitError
from relaykit.registry import PROVIDER, STATUS_SINK, TRANSPORT, PluginState, load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from relaykit.config import Config
    from relaykit.registry import Offer, Registry


def plugins_and_configuration() -> Iterator[Finding]:
    """Load the plugins, check the configuration, and ask the providers what they find on this machine."""
    source = config = None
    try:
        source = read()
    except RelaykitError as error:
        yield from _problems("config", error)
    try:
        registry = plugins(source or Source(only=plugins_only(os.environ)))
    except RelaykitError as error:
        yield from _problems("config", error)
        registry = load(found=())
    yield from _plugins(registry)
    if source is not None:
        try:
            config = check(source, registry)
        except ConfigError as error:
            yield from _problems("config", error)
        else:
            yield Finding("config", Level.OK, _summary(source, config))
            yield credential_store(config, registry)
    yield from _providers(registry, config)
    yield from _transports(registry, config)
    yield from _sinks(registry, config)


def _problems(name: str, error: RelaykitError) -> Iterator[Finding]:
    for line in str(error).splitlines():
        yield Finding(name, Level.FAIL, line)


def _plugins(registry: Registry) -> Iterator[Finding]:
    loaded = [plugin.found.name for plugin in registry.plugins if plugin.state is PluginState.LOADED]
    yield Finding("plugins", Level.OK, f"loaded: {', '.join(loaded)}" if loaded else "none is loaded")
    for plugin in registry.plugins:
        if plugin.state is PluginState.FAILED:
            remedy = f"mend or uninstall {plugin.found.origin}, or disable it: [plugins] disabled"
            yield Finding("plugins", Level.WARN, plugin.error, remedy)


def _summary(source: Source, config: Config) -> str:
    return f"{source.file or 'no file'}: good; agents: {', '.join(agent.id for agent in config.agents) or 'none'}"


def _providers(registry: Registry, config: Config | None) -> Iterator[Finding]:
    """Ask each provider, once for each agent that uses it; one that no agent uses may lack what it needs."""
    for name in registry.providers:
        offer = registry.offer(PROVIDER, name)
        users = [agent for agent in config.agents if agent.provider == name] if config else []
        for agent in users:
            yield _asked("provider", offer, agent.options, f"{name} for {agent.id}", Level.FAIL)
        if not users and offer.component.check is not None:
            yield _asked("provider", offer, {}, name, Level.WARN)


def _transports(registry: Registry, config: Config | None) -> Iterator[Finding]:
    """Ask each transport that the configuration uses and that has something to look at."""
    for use in config.transports if config else ():
        offer = registry.offer(TRANSPORT, use.use)
        if offer.component.check is not None:
            yield _asked("transport", offer, use.options, use.name, Level.FAIL)


def _sinks(registry: Registry, config: Config | None) -> Iterator[Finding]:
    """Ask each sink that the configuration uses and that has something to look at."""
    for use in config.sinks if config else ():
        offer = registry.offer(STATUS_SINK, use.use)
        if offer.component.check is not None:
            yield _asked("sink", offer, use.options, use.name, Level.FAIL)


def _asked(word: str, offer: Offer, options: Mapping[str, Any], name: str, worst: Level) -> Finding:
    if offer.component.check is None:
        return Finding(word, Level.OK, f"{name}: needs nothing that can be looked at")
    try:
        return Finding(word, Level.OK, f"{name}: {offer.look(options)}")
    except RelaykitError as error:
        return Finding(word, worst, f"{name}: {error}")
