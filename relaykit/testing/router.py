"""What holds for every router."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

import anyio
import pytest

from relaykit.errors import UnknownAddressError
from relaykit.plugin import Context, Directory, Route, Router
from relaykit.registry import ROUTER, Registry
from relaykit.testing.component import ComponentSuite
from relaykit.testing.directory import MadeUpDirectory, make_agent

SENDER = "main"
STRANGE = (
    "",
    " ",
    "nobody-at-all",
    "no such address",
    "tag:",
    "tag:nothing",
    "any:tag:nothing",
    "any:",
    "broadcast:x",
    "@",
    "@dock",
    "a@b@c",
    ":",
    "label:a:b",
    "..",
    "../../etc/passwd",
    "'; drop table deliveries; --",
    "a\nb",
    "a\0b",
    "é",
    "x" * 100_000,
)
"""Addresses that nobody has, and some that are none."""


@pytest.mark.anyio
class RouterSuite(ComponentSuite[Router]):
    """Checks that hold for every router.

    Attributes:
        known: Addresses that the router knows, each with its recipients, for the directory of the ``directory``
            fixture and the sender ``main``.
        unknown: Addresses that look like its own and that nobody has.
    """

    kind = ROUTER
    known: ClassVar[Mapping[str, tuple[str, ...]]]
    unknown: ClassVar[tuple[str, ...]] = ()

    @pytest.fixture
    def directory(self) -> Directory:
        """Agents ``main``, ``reviewer``, ``second`` and ``tester``, and the people ``user`` and ``ann``."""
        return MadeUpDirectory(
            make_agent(SENDER, label="boss", tags=["core"], caps=["plan"]),
            make_agent("reviewer", label="critic", tags=["core", "review"], caps=["read"]),
            make_agent("second", label="critic", tags=["review"], caps=["read", "write"]),
            make_agent("tester", tags=["core"]),
            people=["ann"],
        )

    @pytest.fixture
    async def router(
        self, registry: Registry, context: Context, opening_options: Mapping[str, Any]
    ) -> AsyncIterator[Router]:
        """The router, open."""
        with anyio.fail_after(5):
            async with registry.open(ROUTER, self.component, opening_options, context) as router:
                yield router

    async def test_it_knows_who_its_addresses_mean(self, router: Router, directory: Directory) -> None:
        """Recipients come in the order in which they are given here."""
        found = {address: router.route(address, SENDER, directory) for address in self.known}
        assert {address: route and route.recipients for address, route in found.items()} == dict(self.known)

    async def test_it_says_the_same_when_asked_again(self, router: Router, directory: Directory) -> None:
        """It is asked inside transactions, which may be tried twice."""
        for address in self.known:
            assert router.route(address, SENDER, directory) == router.route(address, SENDER, directory)

    async def test_every_route_leads_to_somebody_once(self, router: Router, directory: Directory) -> None:
        """A route without recipients would be a message that is accepted and lost."""
        for address in self.known:
            route = router.route(address, SENDER, directory)
            assert isinstance(route, Route)
            assert route.recipients
            assert len(set(route.recipients)) == len(route.recipients)
            assert not (route.pool and route.group)

    async def test_a_group_leaves_its_sender_out(self, router: Router, directory: Directory) -> None:
        """Whoever writes to a group he is in does not write to himself."""
        for address in self.known:
            route = router.route(address, SENDER, directory)
            assert route is not None
            assert not (route.pool or route.group) or SENDER not in route.recipients

    async def test_it_refuses_its_own_addresses_that_nobody_has(self, router: Router, directory: Directory) -> None:
        """The sender learns at once that nobody is there."""
        for address in self.unknown:
            with pytest.raises(UnknownAddressError):
                router.route(address, SENDER, directory)

    @pytest.mark.parametrize("address", STRANGE, ids=lambda address: ascii(address[:20]))
    async def test_a_strange_address_does_no_harm(self, router: Router, directory: Directory, address: str) -> None:
        """Addresses come from agents and from other machines: any text may stand there."""
        try:
            route = router.route(address, SENDER, directory)
        except UnknownAddressError as exc:
            assert str(exc)  # noqa: PT017 - a router may say either; what it says is checked
        else:
            assert route is None or route.recipients
