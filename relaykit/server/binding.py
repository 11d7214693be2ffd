"""Binding the one socket of an edge: quick, and refused at once where the address is taken."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from msgspec.structs import replace

from relaykit.errors import ConfigError

if TYPE_CHECKING:
    from relaykit.server.origins import Address

_BACKLOG = 128


def bind(address: Address, said: str = "relay.listen") -> tuple[socket.socket, Address]:
    """Return a bound socket, and the address with the port that it really has; ``said`` is where it was written.

    Raises:
        ConfigError: The address is taken, or is none of this machine.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # The protocol by its number: asyncio looks at it, and else leaves out TCP_NODELAY, which costs 40 ms an answer.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address.host, address.port))
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise ConfigError(
            f"{said}: {address.host}:{address.port} cannot be listened on ({error.strerror}); end what uses it, or "
            "choose another port"
        ) from error
    return bound, replace(address, port=bound.getsockname()[1])
