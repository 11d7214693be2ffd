"""Offers the SQLite session store."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from relaykit.plugin import Component, hookimpl

if TYPE_CHECKING:
    from relaykit.plugin import Context, SessionStore


def _open(options: Mapping[str, Any], context: Context) -> AbstractAsyncContextManager[SessionStore]:
    from relaykit.sessions.store import open_sessions  # noqa: PLC0415 - heavy, so imported on opening

    return open_sessions(options, context)


@hookimpl
def relaykit_session_stores() -> list[Component[SessionStore]]:
    """Offer the SQLite session store."""
    return [Component(name="sqlite", summary="One file in the home directory, shared by every relay of it", open=_open)]
