"""The installed plugins, as configuration and environment want them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from relaykit.config import disabled_plugins
from relaykit.registry.loading import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from relaykit.registry import Found, Registry


def installed(*, found: Iterable[Found] | None = None) -> Registry:
    """Load the installed plugins, or those found, but what the configuration disables.

    RELAYKIT_PLUGINS and RELAYKIT_TRACE_PLUGINS hold.
    """
    trace = sys.stderr if os.environ.get("RELAYKIT_TRACE_PLUGINS") == "1" else None
    return load(disabled=disabled_plugins(), only=_only(), trace=trace, found=found)


def _only() -> list[str] | None:
    chosen = os.environ.get("RELAYKIT_PLUGINS")
    return None if chosen is None else [name.strip() for name in chosen.split(",") if name.strip()]
