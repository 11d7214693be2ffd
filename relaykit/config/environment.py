"""What the environment says: RELAYKIT_HOME, RELAYKIT_PLUGINS, and RELAYKIT_RELAY_<KEY> for the keys of ``[relay]``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relaykit.config.sections import SCALARS
from relaykit.registry.problem import Place

HOME = "RELAYKIT_HOME"
PLUGINS = "RELAYKIT_PLUGINS"
TRACE = "RELAYKIT_TRACE_PLUGINS"
PREFIX = "RELAYKIT_RELAY_"
_TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, Place, Any]]:
    """Yield variable, path and value of everything that the environment says about the configuration."""
    for variable in sorted(environ):
        if variable.startswith(PREFIX):
            key = variable[len(PREFIX) :].lower()
            yield variable, ("relay", key), _read(environ[variable], SCALARS.get(key, {}).get("type"))
    if environ.get(HOME):
        yield HOME, ("relay", "home"), environ[HOME]


def plugins_only(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the plugins that RELAYKIT_PLUGINS names; none of them where it is empty, None where it is not set."""
    named = environ.get(PLUGINS)
    return None if named is None else tuple(name for name in map(str.strip, named.split(",")) if name)


def is_traced(environ: Mapping[str, str]) -> bool:
    """Whether hook calls are to be shown."""
    return _TRUTH.get(environ.get(TRACE, "").lower(), False)


def _read(text: str, wanted: object) -> object:
    """Read a value of a type; what is not of it stays text, for the check to refuse."""
    if wanted == "boolean":
        return _TRUTH.get(text.lower(), text)
    if wanted == "number":
        try:
            return float(text)
        except ValueError:
            return text
    return text
