"""relaykit keeps coding agents resident, gives each an address, and carries messages to and from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from relaykit.plugin import API, Component, Context, hookimpl

__all__ = ["API", "Component", "Context", "__version__", "hookimpl"]


def __getattr__(name: str) -> object:
    """Import what plugin authors need on first use, so that ``relaykit --version`` pays for none of it."""
    if name not in __all__:
        raise AttributeError(f"module 'relaykit' has no attribute {name!r}")
    from relaykit import plugin  # noqa: PLC0415 - the point of this function

    return getattr(plugin, name)
