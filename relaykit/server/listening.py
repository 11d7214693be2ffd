"""Listening: one socket, one web server, ended within seconds."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from relaykit.errors import ConfigError

if TYPE_CHECKING:
    from relaykit.server.guard import App
    from relaykit.server.origins import Address

_CONNECTIONS = 256
_KEEP_ALIVE_SECONDS = 120
"""Longer than clients keep one that is not used: else a request could meet the hanging up."""
_FINISH_SECONDS = 2
_STOP_SECONDS = 5.0
_HEADER_BYTES = 32 * 2**10
_BACKLOG = 128


def bind(address: Address) -> tuple[socket.socket, Address]:
    """Return a bound socket, and the address with the port that it really has.

    Raises:
        ConfigError: The address is taken, or is none of this machine.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address.host, address.port))
    except OSError as error:
        bound.close()
        where = f"{address.host}:{address.port}"
        raise ConfigError(
            f"relay.listen: {where} cannot be listened on ({error.strerror}); end what uses it, or choose another port"
        ) from error
    return bound, replace(address, port=bound.getsockname()[1])


@asynccontextmanager
async def serving(app: App, bound: socket.socket) -> AsyncIterator[None]:
    """Serve an application on a bound socket while the context is open.

    The server's parts are started without its main loop: that one takes the process's signals, and wakes ten times a
    second to look whether it is to end.
    """
    import uvicorn  # noqa: PLC0415 - only what listens pays for it

    from relaykit.server.connection import Connection  # noqa: PLC0415 - as above

    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=Connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="error",  # whoever sends nonsense must not fill the terminal of the relay
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        limit_concurrency=_CONNECTIONS,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_FINISH_SECONDS,
        h11_max_incomplete_event_size=_HEADER_BYTES,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[bound])
    try:
        yield
    finally:
        with anyio.move_on_after(_STOP_SECONDS, shield=True):
            await server.shutdown(sockets=[bound])
