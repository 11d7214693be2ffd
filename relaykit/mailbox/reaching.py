"""Whom an address means, and whom a sender may reach: of the others it is told no name."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from relaykit.errors import UnknownAddressError
from relaykit.plugin.router import find_route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.mailbox.directory import Known
    from relaykit.mailbox.transaction import Transaction
    from relaykit.model import Agent
    from relaykit.plugin import Directory
    from relaykit.plugin.router import Route


def resolve(tx: Transaction, known: Known, address: str, sender: str) -> Route:
    """Return whom a sender means by an address.

    Raises:
        UnknownAddressError: Nobody; where an agent asked, it hints at those alone that the agent may reach.
    """
    try:
        return route(tx, known, address, sender)
    except UnknownAddressError:
        if known.agent(sender) is None:
            raise
    route(tx, _Reachable(tx, known, sender), address, sender)
    raise UnknownAddressError(f"nobody answers to {address!r}")


def route(tx: Transaction, known: Directory, address: str, sender: str) -> Route:
    """Return whom an address means; UnknownAddressError."""
    return find_route(tx.routers, address, sender, known)


def may_reach(tx: Transaction, known: Known, sender: str, agent: Agent) -> bool:
    """Whether a sender may send to an agent."""
    if agent.reachable_by is None or sender in agent.reachable_by:
        return True
    for address in agent.reachable_by:
        try:
            if sender in route(tx, known, address, agent.id).recipients:
                return True
        except UnknownAddressError:
            continue  # a group that nobody is in
    return False


class _Reachable:
    """The directory as far as an agent may know it: itself, those that it may send to, and people."""

    def __init__(self, tx: Transaction, known: Known, sender: str) -> None:
        self._tx = tx
        self._known = known
        self._sender = sender

    def agent(self, name: str) -> Agent | None:
        return next((agent for agent in self._agents if agent.id == name), None)

    def agents(self) -> Sequence[Agent]:
        return self._agents

    def is_person(self, name: str) -> bool:
        return self._known.is_person(name)

    @cached_property
    def _agents(self) -> list[Agent]:
        everyone = self._known.agents()
        return [one for one in everyone if one.id == self._sender or self._reaches(one)]

    def _reaches(self, agent: Agent) -> bool:
        return may_reach(self._tx, self._known, self._sender, agent)
