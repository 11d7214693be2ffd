"""The router ``address``: the addresses that everyone has, looked up in the directory.

It is used by ``relaykit send`` as well, outside any relay, so importing it stays cheap.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from relaykit.errors import UnknownAddressError, UsageError
from relaykit.model import AddressKind, parse_address
from relaykit.plugin.router import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from relaykit.model import Address, Agent
    from relaykit.plugin import Context, Directory, Router

_SHORT_LIST = 12


class AddressRouter:
    """Knows agents by name, label, tag and capability, people by name, and ``name@transport`` by its form."""

    def route(self, address: str, sender: str, directory: Directory) -> Route | None:
        """Return whom the address means; UnknownAddressError where nobody has it, None where it is no address."""
        try:
            parsed = parse_address(address)
        except UsageError:
            return None
        match parsed.kind:
            case AddressKind.NAME:
                return _named(parsed.name, directory)
            case AddressKind.FOREIGN:
                return Route(recipients=(address,))
            case AddressKind.GROUP:
                return Route(recipients=_members(parsed, address, sender, directory), group=True)
            case AddressKind.ANY:
                return Route(recipients=_members(parsed, address, sender, directory), pool=True)


def _named(name: str, directory: Directory) -> Route:
    if directory.agent(name) is None and not directory.is_person(name):
        known = [agent.id for agent in directory.agents()]
        hint = _near(name, known) if known else "; no agent has run here yet, `relaykit run` starts one"
        raise UnknownAddressError(f"nobody is called {name!r}{hint}")
    return Route(recipients=(name,))


def _members(parsed: Address, address: str, sender: str, directory: Directory) -> tuple[str, ...]:
    """Return who is in the group, but never the sender: nobody writes to himself by accident."""
    everyone = directory.agents()
    found = tuple(agent.id for agent in everyone if agent.id != sender and _is_in(agent, parsed))
    if not found:
        known = {value for agent in everyone for value in _values(agent, parsed.group)}
        hint = _near(parsed.name, known) if parsed.name else ""
        who = "no other agent" if directory.agent(sender) else "no agent"
        raise UnknownAddressError(f"{who} answers to {address!r}{hint}")
    return found


def _is_in(agent: Agent, parsed: Address) -> bool:
    if not agent.in_groups and parsed.group != "label":
        return False
    return parsed.group == "broadcast" or parsed.name in _values(agent, parsed.group)


def _values(agent: Agent, group: str) -> tuple[str, ...]:
    match group:
        case "tag":
            return agent.tags
        case "cap":
            return agent.capabilities
        case "label" if agent.label is not None:
            return (agent.label,)
        case _:
            return ()


def _near(name: str, known: Iterable[str]) -> str:
    """Return what may have been meant, and all there is where that is little."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake pays for it

    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    some = f"there are: {', '.join(names)}" if 0 < len(names) <= _SHORT_LIST else ""
    return f"{meant} ({some})" if meant and some else meant or (some and f"; {some}")


@asynccontextmanager
async def open_address_router(_options: Mapping[str, Any], _context: Context) -> AsyncIterator[Router]:
    """Open the router; it keeps nothing."""
    yield AddressRouter()
