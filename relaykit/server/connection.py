"""One connection of the web server: as uvicorn has it, but patient for so long only."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

from relaykit.server.patience import Patient

if TYPE_CHECKING:
    import asyncio


class Connection(Patient, H11Protocol):  # type: ignore[misc]  # each says its own of what both have
    """The connection in plain Python."""


def connection_class(*, quick: bool) -> type[asyncio.Protocol]:
    """Return the connection to use: a quicker one where that is wanted and the extra ``fast`` is installed."""
    if not quick or find_spec("httptools") is None:
        return Connection
    from relaykit.server.quick import QuickConnection  # noqa: PLC0415 - not everybody has it

    return QuickConnection
