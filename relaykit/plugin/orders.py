"""The parts of a mailbox that are about agents' lives: commands, and permission requests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from relaykit.model import Command, CommandKind, CommandState, Decision, PermissionRequest, Question, Reply


class Orders(Protocol):
    """Commands to agents' lives."""

    async def order(
        self, agent: str, kind: CommandKind, *, text: str = "", sender: str, id: str | None = None
    ) -> Command:
        """Store a command under the agent's epoch. The same id again is the first. NotFoundError for no such agent."""
        ...

    async def orders(self, agent: str, epoch: int) -> Sequence[Command]:
        """Return the commands that wait to be taken, oldest first; those that are too old or late are closed."""
        ...

    async def advance(self, command: str, state: CommandState, result: str = "") -> None:
        """Move a command on; one that has ended stays as it is."""

    async def command(self, command: str) -> Command:
        """Return a command. NotFoundError."""
        ...


class Permissions(Protocol):
    """Permission requests."""

    async def ask(
        self, agent: str, epoch: int, session: str, question: Question, *, expires_in: float
    ) -> PermissionRequest:
        """Store a request; one of the same session, turn, item and digest is found again.

        So it is while it is open, and while it is decided and the session was not told of that.
        """
        ...

    async def decide(
        self, request: str, decision: Decision, *, by: str, reason: str = "", reply: Reply | None = None
    ) -> PermissionRequest:
        """Decide an open request; the first decision wins.

        Raises:
            ClosedRequestError: It is no longer open.
            RefusedError: It takes no such reply, or needs one.
            NotFoundError: There is none.
        """
        ...

    async def decided(self, agent: str, epoch: int) -> Sequence[PermissionRequest]:
        """Return requests that were decided or have expired, and of which the session was not told."""
        ...

    async def applied(self, request: str) -> None:
        """The session was told."""

    async def withdraw(self, session: str, keys: Collection[str] | None, reason: str) -> None:
        """Close open requests of a provider session, all or those of these keys."""

    async def permissions(self, *, all: bool = False) -> Sequence[PermissionRequest]:
        """Return the open requests, oldest first; with ``all`` the closed ones, too."""
        ...
