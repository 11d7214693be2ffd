"""What ``relaykit run`` is to run: file, environment and options, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.cli.adhoc import RunOptions, ad_hoc_agent, check_offered
from relaykit.config import Setting, check, plugins, read
from relaykit.errors import ConfigError, RelaykitError
from relaykit.registry import STATUS_SINK, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from relaykit.config import Config, Source, UseConfig
    from relaykit.registry import Registry


def configured(file: Path | None, said: RunOptions, listen: str | None) -> tuple[Config, Registry]:
    """Return the checked configuration and the plugins; ConfigError and UsageError say all that does not fit."""
    source = ad_hoc_agent(read(file), said)
    if listen is not None:
        source = source.including([Setting(path=("relay", "listen"), value=listen, origin="--listen")])
    registry = plugins(source)
    check_offered(source, registry)
    config = fitting(source, registry)
    if not config.agents:
        raise ConfigError(
            "there is no agent to run; say --provider NAME, or write a configuration with `relaykit config init`"
        )
    return config, registry


def fitting(source: Source, registry: Registry) -> Config:
    """Return the checked configuration, whose sinks can be opened on this machine; ConfigError says what does not fit.

    A sink that cannot be opened keeps a relay from starting. A transport whose server is away does not, so none is asked.
    """
    config = check(source, registry)
    problems = [problem for use in config.sinks for problem in _misfits(use, registry)]
    if problems:
        raise ConfigError([source.line(problem) for problem in problems])
    return config


def _misfits(use: UseConfig, registry: Registry) -> Iterator[Problem]:
    try:
        registry.offer(STATUS_SINK, use.use).look(use.options)
    except RelaykitError as error:
        yield Problem(("sinks", use.name), str(error))
