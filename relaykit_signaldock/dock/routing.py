"""The router of conversations: one message to all who take part in one, stored whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.errors import UnknownAddressError
from relaykit.plugin import Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.plugin import Directory

_PREFIX = "conversation:"


def address(conversation: str) -> str:
    """Return the address of a conversation."""
    return _PREFIX + conversation


def conversation_of(to: str) -> str | None:
    """Return the conversation that an address names, if it names one."""
    return to.removeprefix(_PREFIX) if to.startswith(_PREFIX) else None


class ConversationRouter:
    """Knows the conversations to which something is put just now, so that a put need not look into a file."""

    def __init__(self) -> None:
        self._members: dict[str, tuple[int, tuple[str, ...]]] = {}

    def enter(self, conversation: str, members: Sequence[str]) -> None:
        """Know a conversation until ``leave``."""
        count, _ = self._members.get(conversation, (0, ()))
        self._members[conversation] = (count + 1, tuple(members))

    def leave(self, conversation: str) -> None:
        """Know it no more, where nobody else puts something to it."""
        count, members = self._members.pop(conversation)
        if count > 1:
            self._members[conversation] = (count - 1, members)

    def route(self, address: str, sender: str, directory: Directory) -> Route | None:
        """Return the members but the sender, those that are still there."""
        conversation = conversation_of(address)
        if conversation is None or conversation not in self._members:
            return None
        others = [name for name in self._members[conversation][1] if name != sender]
        known = tuple(name for name in others if directory.agent(name) or directory.is_person(name))
        if not known:
            raise UnknownAddressError(f"nobody else takes part in conversation {conversation}")
        return Route(recipients=known, group=True)
