"""The part of the mailbox's front that agents' tools use: every method runs one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from relaykit.mailbox import conversing, inboxes, reading, tasks
from relaykit.storage.executor import BRIEF

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from relaykit.mailbox.transaction import Transaction
    from relaykit.model import Accepted, Agent, DirectoryEntry, InboxItem, Message, Task, TaskState
    from relaykit.storage.executor import Executor

T = TypeVar("T")


class ConversingMailbox:
    """Answers in the middle of a turn, threads, reactions, tasks, inboxes. The promises stand with the protocol."""

    def __init__(self, executor: Executor[Transaction], *, synced: bool = False) -> None:
        self._run = executor.run
        self._run_brief = executor.run_brief
        self._run_synced = executor.run_synced
        self._synced = synced

    def _put(
        self, operation: Callable[..., T], *args: Any, text: str, synced: bool = False, **kwargs: Any
    ) -> Awaitable[T]:
        """Run an operation that stores a message with that text."""
        brief = self._run_brief if len(text) <= BRIEF else self._run
        return (self._run_synced if synced or self._synced else brief)(operation, *args, **kwargs)

    async def answer(self, who: str, message: str, body: str, *, id: str) -> Accepted:
        """Answer a message that came to someone."""
        return await self._put(conversing.answer, who, message, body, id=id, text=body)

    async def replies(self, message: str) -> Sequence[Message]:
        """Return what was said in answer to a message, oldest first."""
        return await self._run_brief(reading.replies, message)

    async def thread(self, thread: str, reader: str, *, limit: int = 50) -> Sequence[Message]:
        """Return the last messages of a thread that the reader sent or got, oldest first."""
        return await self._run(conversing.thread, thread, reader, limit=limit)

    async def react(self, message: str, who: str, what: str) -> None:
        """Put a word or a sign on a message."""
        await self._run(conversing.react, message, who, what)

    async def reachable(self, sender: str) -> Sequence[DirectoryEntry]:
        """Return the agents that someone may send to, by id."""
        return await self._run(conversing.reachable, sender)

    async def task(self, message: str, agent: str) -> Task:
        """Return the task that a message brought to an agent, or that the agent gave away with it."""
        return await self._run(tasks.task, message, agent)

    async def claim_task(self, message: str, agent: str) -> Task:
        """Claim an open task."""
        return await self._run(tasks.claim_task, message, agent)

    async def set_task(self, message: str, agent: str, state: TaskState, note: str = "") -> Task:
        """Note what the agent that has a task says of it."""
        return await self._run(tasks.set_task, message, agent, state, note)

    async def enroll(self, agent: Agent) -> None:
        """Enter an agent that reads its inbox itself, or what is now known of it."""
        await self._run(inboxes.enroll, agent)

    async def dismiss(self, agent: str) -> None:
        """Take such an agent out."""
        await self._run(inboxes.dismiss, agent)

    async def unread(self, agent: str, *, after: int = 0, limit: int = 50) -> Sequence[InboxItem]:
        """Return what it has not taken yet, in the order of arrival."""
        return await self._run(inboxes.unread, agent, after=after, limit=limit)

    async def take(self, agent: str, messages: Collection[str], note: str) -> Sequence[str]:
        """End its deliveries of these messages as acknowledged; return whose there were."""
        return await self._run(inboxes.take, agent, messages, note)

    async def arrived(
        self, after: int | None, recipients: Collection[str], *, limit: int = 500
    ) -> tuple[int, Sequence[InboxItem]]:
        """Return the last arrival number, and what has come for some recipients since one."""
        return await self._run(inboxes.arrived, after, recipients, limit=limit)
