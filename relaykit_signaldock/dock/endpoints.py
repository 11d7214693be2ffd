"""Where webhooks may go: a dock calls no address for others that its operator would not have called."""

from __future__ import annotations

import ipaddress
import socket
from enum import StrEnum

import anyio
import httpx
from msgspec import Struct

from relaykit_signaldock.dock.envelope import WireError

MOST_CHARACTERS = 2000
_MOST_PORT = 65535
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NEAR = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "fec0::/10")))
"""Old or local ways to write what may be a private address, which Python counts as global: compatible with IPv4,
translated, behind a translator of one's own, of one site."""


class Reach(StrEnum):
    """How far webhooks of a dock reach."""

    OFF = "off"
    PUBLIC = "public"
    """https, to public addresses alone."""
    LOCAL = "local"
    """This machine and private networks, too, also without TLS."""


class UnreachableError(Exception):
    """An endpoint is not called: its address is none that the dock may call, or is not known."""


class Place(Struct, frozen=True):
    """An endpoint, and the address that it has now."""

    url: httpx.URL
    address: str

    @property
    def request_url(self) -> httpx.URL:
        """The endpoint by its address: what was looked at is what is called."""
        return self.url.copy_with(host=self.address)


def check(endpoint: str, reach: Reach) -> None:
    """Raise WireError for an endpoint that an agent names where it is none that may be called."""
    try:
        url = _parsed(endpoint)
    except ValueError as error:
        raise _unfit(str(error)) from None
    if reach is Reach.OFF:
        raise _unfit("this dock calls none; its operator can start it with --webhooks public")
    if url.scheme != "https" and not (url.scheme == "http" and reach is Reach.LOCAL):
        raise _unfit("it has to begin with https://" + (" or http://" if reach is Reach.LOCAL else ""))
    if not url.host or url.userinfo or url.fragment:
        raise _unfit("it has to name a host, and neither a user nor a fragment")
    if _is_literal(url.host) and not _may_be_called(url.host, reach):
        raise _unfit(f"{url.host} is not a public address")


async def resolved(endpoint: str, reach: Reach) -> Place:
    """Return where an endpoint is now.

    Raises:
        UnreachableError: Its name is not known, or means an address that is not to be called.
        ValueError: It is no URL that can be called; an older version may have stored it.
    """
    url = _parsed(endpoint)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = await anyio.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnreachableError(f"{url.host} is not known: {error.strerror}") from error
    addresses = [str(place[0]) for *_, place in found]
    if refused := [one for one in addresses if not _may_be_called(one, reach)]:
        raise UnreachableError(f"{url.host} is {refused[0]}, which is not a public address")
    return Place(url, addresses[0])


def is_public(address: str) -> bool:
    """Whether an address is one of the whole internet's, also where an IPv6 address stands for one of IPv4."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address) and (inner := _embedded(found)) is not None:
        found = inner
    return found.is_global and not found.is_multicast and not any(found in network for network in _NEAR)


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that is called in the end: written as IPv6, by 6to4, or by a translator."""
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour


def _may_be_called(address: str, reach: Reach) -> bool:
    return reach is Reach.LOCAL or is_public(address)


def _parsed(endpoint: str) -> httpx.URL:
    """Return an endpoint as a URL, whose host and port can be read; ValueError says in words why it is none."""
    try:
        url = httpx.URL(endpoint)
        host = url.host  # reading it is what decodes a name in Punycode
    except (httpx.InvalidURL, ValueError):
        raise ValueError("it is no URL") from None
    if url.port is not None and not 1 <= url.port <= _MOST_PORT:
        raise ValueError(f"{host} has no port {url.port}; ports are numbers from 1 to {_MOST_PORT}")
    return url


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _unfit(why: str) -> WireError:
    return WireError("E_VALIDATION_CONSTRAINT", f"endpoint cannot be called: {why}")
