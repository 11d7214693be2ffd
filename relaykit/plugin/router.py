"""Routers: they say who an address means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from relaykit.errors import RefusedError, UnknownAddressError

if TYPE_CHECKING:
    from relaykit.model import Agent


class Directory(Protocol):
    """The agents and people that the mailbox knows, at the moment of a put."""

    def agent(self, name: str) -> Agent | None:
        """Return the agent of that id."""
        ...

    def agents(self) -> Sequence[Agent]:
        """Return all agents, by id, those that are offline too."""
        ...

    def is_person(self, name: str) -> bool:
        """Whether a person of that name has sent something from here, or is ``user``."""
        ...


class Route(Struct, frozen=True, kw_only=True):
    """Whom an address means."""

    recipients: tuple[str, ...]
    """One delivery for each; for a pool those who may take it."""
    pool: bool = False
    """One delivery, which the first of them that is free leases."""
    group: bool = False
    """One of several that gets the same: a full member's delivery is refused, the others go."""


class Router(Protocol):
    """Says who an address means; the routers are asked in turn until one knows.

    Called inside the transaction of a put, by relays and by ``relaykit send`` alike: pure, quick, no I/O.
    """

    def route(self, address: str, sender: str, directory: Directory) -> Route | None:
        """Return whom the address means, or None where this router does not know it.

        Raises:
            UnknownAddressError: It is this router's to know, and there is nobody.
        """
        ...


def find_route(routers: Sequence[Router], address: str, sender: str, directory: Directory) -> Route:
    """Ask the routers in turn whom an address means; what mailboxes call in a put.

    A router that says there is nobody does not stop the next one: a plain name that the directory does not hold
    may stand in another router's table.

    Raises:
        UnknownAddressError: No router knows anybody; the first refusal tells why.
        RefusedError: A router's answer is none; says whose.
    """
    refusal: UnknownAddressError | None = None
    for router in routers:
        try:
            route = router.route(address, sender, directory)
        except UnknownAddressError as exc:
            refusal = refusal or exc
        else:
            if isinstance(route, Route) and len(route.recipients) == 1:  # nearly every put's, at no cost
                return route
            if route is not None:
                return _sound(router, address, route)
    raise refusal or UnknownAddressError(f"no router knows the address {address!r}")


def _sound(router: Router, address: str, route: object) -> Route:
    if not isinstance(route, Route):
        wrong = f"{type(route).__name__}, which is no Route"
    elif not route.recipients:
        wrong = "a Route to nobody"
    elif len(set(route.recipients)) != len(route.recipients):
        wrong = "a Route that has somebody twice"
    else:
        return route
    name = f"{type(router).__module__}.{type(router).__qualname__}"
    raise RefusedError(f"the router {name} answers {address!r} with {wrong}; its plugin has to be mended")
