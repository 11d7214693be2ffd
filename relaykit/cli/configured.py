"""What ``relaykit run`` is to run: file, environment and options, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.cli.adhoc import RunOptions, ad_hoc_agent, check_offered
from relaykit.config import Setting, check, plugins, read
from relaykit.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from relaykit.config import Config
    from relaykit.registry import Registry


def configured(file: Path | None, said: RunOptions, listen: str | None) -> tuple[Config, Registry]:
    """Return the checked configuration and the plugins; ConfigError and UsageError say all that does not fit."""
    source = ad_hoc_agent(read(file), said)
    if listen is not None:
        source = source.including([Setting(path=("relay", "listen"), value=listen, origin="--listen")])
    registry = plugins(source)
    check_offered(source, registry)
    config = check(source, registry)
    if not config.agents:
        raise ConfigError(
            "there is no agent to run; say --provider NAME, or write a configuration with `relaykit config init`"
        )
    return config, registry
