"""Where a request may come from: against web pages that have a name of theirs lead to this machine."""

from __future__ import annotations

import re
import socket
from ipaddress import ip_address

from msgspec import Struct

from relaykit.config.sections import LISTEN_PATTERN
from relaykit.errors import ConfigError

_HOST = re.compile(rb"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Address(Struct, frozen=True):
    """Where the edge listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, said: str = "relay.listen") -> Address:
        """Take HOST:PORT apart, as it was written somewhere; ``auto`` is loopback on a free port."""
        if text == "auto":
            return cls("127.0.0.1", 0)
        host, _, port = text.rpartition(":")
        if text == "off" or not re.match(LISTEN_PATTERN, text):
            raise ConfigError(f"{said}: {text!r} is no address to listen on; write HOST:PORT, such as 127.0.0.1:4870")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))

    @property
    def url(self) -> str:
        """As whom clients of this machine call it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - it is asked, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host == "localhost" or (_is_ip(self.host) and ip_address(self.host).is_loopback)


class Hosts(Struct, frozen=True):
    """The names by which the edge may be called.

    A page that rebinds its own name to this machine still sends that name. So on loopback only loopback's names are
    good; elsewhere any number is, the configured name and this machine's own.
    """

    address: Address
    names: tuple[str, ...] = ()
    """Others by which it may be called."""

    def know(self, header: bytes) -> bool:
        """Whether a Host header is one of them."""
        found = _HOST.fullmatch(header)
        if found is None:
            return False
        name = found["name"].decode().strip("[]").lower()
        if name in _LOOPBACK or name in self.names or name == self.address.host.lower():
            return True
        return not self.address.is_loopback and (_is_ip(name) or name == socket.gethostname().lower())


def is_same_origin(origin: bytes, host: bytes) -> bool:
    """Whether a page comes from the very address that it calls."""
    return origin.lower() in (b"http://" + host.lower(), b"https://" + host.lower())


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
