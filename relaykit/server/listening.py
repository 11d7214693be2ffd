"""The web server on a bound socket, ended within seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import uvicorn

from relaykit.errors import ConfigError
from relaykit.server.connection import connection_class
from relaykit.server.patience import HEADER_BYTES

if TYPE_CHECKING:
    import socket

    from relaykit.plugin import App, Tls

CONNECTIONS = 256
_KEEP_ALIVE_SECONDS = 120
"""Longer than clients keep one that is not used: else a request could meet the hanging up."""
_FINISH_SECONDS = 2
_STOP_SECONDS = 5.0


@asynccontextmanager
async def serving(
    app: App,
    bound: socket.socket,
    *,
    connections: int = CONNECTIONS,
    tls: Tls | None = None,
    quick: bool = False,
) -> AsyncIterator[None]:
    """Serve an application on a bound socket while the context is open; ``quick`` where there are many requests.

    The server's parts are started without its main loop: that one takes the process's signals, and wakes ten times a
    second to look whether it is to end.
    """
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=connection_class(quick=quick),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="error",  # whoever sends nonsense must not fill the terminal of the relay
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        # One more than ever are open: the server refuses what is asked on any connection where as many are, a stranger's
        # or not. A connection sees to it itself that there are no more.
        limit_concurrency=connections + 1,
        backlog=max(connections // 2, 1),  # so many are taken at once, before any of them can be hung up on
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_FINISH_SECONDS,
        h11_max_incomplete_event_size=HEADER_BYTES,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    _load(config)
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[bound])
    try:
        yield
    finally:
        with anyio.move_on_after(_STOP_SECONDS, shield=True):
            await server.shutdown(sockets=[bound])


def _load(config: uvicorn.Config) -> None:
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(f"the certificate and its key cannot be used ({error}); give files of PEM") from error
