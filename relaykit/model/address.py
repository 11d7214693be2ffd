"""Addresses: an agent, a person, a group, any one of a group, or a name beyond a transport."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from relaykit.errors import UsageError
from relaykit.model.record import Record

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What an agent, a person, a transport or a tag may be called."""
_GROUPS = ("label", "tag", "cap")


class AddressKind(StrEnum):
    """What an address names."""

    NAME = "name"
    GROUP = "group"
    """Everyone with that label, tag or capability; ``broadcast`` is everyone."""
    ANY = "any"
    """The first of a group that is free."""
    FOREIGN = "foreign"
    """Someone beyond a transport."""


class Address(Record, frozen=True):
    """An address, taken apart."""

    kind: AddressKind
    name: str
    """The agent's or person's name; for a group the value of its label, tag or capability."""
    group: str = ""
    """``label``, ``tag``, ``cap`` or ``broadcast``."""
    transport: str = ""


# The same few come again and again.
@lru_cache(maxsize=1024)
def parse_address(text: str) -> Address:
    """Take an address apart; raise UsageError where it is none."""
    if text == "broadcast":
        return Address(AddressKind.GROUP, "", "broadcast")
    rest, kind = (text[4:], AddressKind.ANY) if text.startswith("any:") else (text, AddressKind.GROUP)
    group, colon, value = rest.partition(":")
    if colon and group in _GROUPS and NAME.fullmatch(value):
        return Address(kind, value, group)
    name, at, transport = text.partition("@")
    if at and NAME.fullmatch(transport) and name:
        return Address(AddressKind.FOREIGN, name, transport=transport)
    if NAME.fullmatch(text):
        return Address(AddressKind.NAME, text)
    raise UsageError(
        f"{text!r} is not an address; use a name, label:x, tag:x, cap:x, broadcast, any:tag:x or name@transport"
    )
