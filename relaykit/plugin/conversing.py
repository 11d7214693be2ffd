"""The parts of a mailbox that agents' tools use: answers in the middle of a turn, threads, reactions, tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from relaykit.model import Accepted, DirectoryEntry, Message, Task, TaskState


class Conversing(Protocol):
    """What agents do with messages beyond sending. Nobody sees a message that it neither sent nor got.

    Ids are whole ones: an id that is cut short would tell of others' messages.
    """

    async def answer(self, who: str, message: str, body: str, *, id: str) -> Accepted:
        """Answer a message that came to someone.

        While the turn on it runs this is the delivery's one reply, exempt from limits but that of its size, and the
        settle's is not stored for it. Otherwise, and the second time, it is one more message of the thread.

        Raises:
            NotFoundError: No such message came to it.
            RefusedError: Nobody waits for an answer to it, or a limit.
        """
        ...

    async def thread(self, thread: str, reader: str, *, limit: int = 50) -> Sequence[Message]:
        """Return the last messages of a thread that the reader sent or got, oldest first; a message's id names its."""
        ...

    async def react(self, message: str, who: str, what: str) -> None:
        """Put a word or a sign on a message that someone sent or got; the same again is the first. NotFoundError."""

    async def reachable(self, sender: str) -> Sequence[DirectoryEntry]:
        """Return the agents that someone may send to, by id, without the one who asks."""
        ...


class Tasks(Protocol):
    """Work that messages carry.

    A task follows its delivery: open while that is queued, claimed while it is leased for a turn, in progress from
    ``seen`` on, done or failed with its end, unless the agent said that itself. A delivery that no turn took and that
    was only shown changes nothing. Queued once more it is open again.
    """

    async def task(self, message: str, agent: str) -> Task:
        """Return the task that a message brought to an agent, or that the agent gave away with it. NotFoundError."""
        ...

    async def claim_task(self, message: str, agent: str) -> Task:
        """Claim an open task: of any of a group, nobody else leases its delivery.

        The claim holds while the relay that runs the agent beats; ``release_stale`` and ``leave`` open it again.

        Raises:
            RefusedError: Another has it.
        """
        ...

    async def set_task(self, message: str, agent: str, state: TaskState, note: str = "") -> Task:
        """Note what the agent that has a task says of it: in progress, done or failed. RefusedError."""
        ...
