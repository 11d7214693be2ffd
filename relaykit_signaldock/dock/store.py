"""The dock's own store: agents and the hashes of their keys, claim codes, conversations.

Messages are not here: they are in the mailbox.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from relaykit_signaldock.dock.records import Annotation, Conversation, DeadLetter, DockAgent, Job


class Store(Protocol):
    """Every method is one transaction, safe from loss of power when it has returned but where it says otherwise."""

    def look(self) -> None:
        """Begin a request: what follows is not older than this, whatever process wrote it."""

    def add(self, agent: DockAgent, key: str) -> bool:
        """Enter an agent with the hash of its key; return False, and change nothing, where there is one of its id."""
        ...

    def agent(self, id: str) -> DockAgent | None:
        """Return the agent of that id."""
        ...

    def agents(self) -> Sequence[DockAgent]:
        """Return all agents, by id."""
        ...

    def update(self, agent: DockAgent) -> None:
        """Enter what is now known of an agent."""

    def remove(self, id: str) -> bool:
        """Take an agent out, its keys at once; return whether there was one."""
        ...

    def owner(self, key: str, now: float) -> str | None:
        """Return whose key has that hash and is good now."""
        ...

    def has_key(self, agent: str, now: float) -> bool:
        """Whether an agent has a key that is good."""
        ...

    def replace_keys(self, agent: str, key: str, now: float, old_until: float, *, reserve: bool = False) -> None:
        """Give an agent a key; those that it had are good until then, or as long as they were.

        As a ``reserve`` they are good after that, too, until the new one was used, for 30 days at most: whoever
        was to get it may have died first.
        """

    def add_code(self, agent: str, code: str, until: float) -> None:
        """Keep the hash of an agent's claim code, in place of an earlier one."""

    def claim(self, agent: str, code: str, key: str, now: float, old_until: float) -> bool:
        """Use a claim code up: give its agent a key, and note that it is claimed; return whether the code was good."""
        ...

    def seen(self, agent: str, at: float) -> None:
        """Note that an agent gave a sign of life. Not safe from loss of power."""

    def last_seen(self) -> Mapping[str, float]:
        """Return when agents last gave a sign of life."""
        ...

    def polled(self, agent: str) -> int:
        """Return the arrival number up to which an agent has polled."""
        ...

    def set_polled(self, agent: str, number: int) -> None:
        """Note how far an agent has polled; it never goes back."""

    def add_conversation(self, conversation: Conversation) -> None:
        """Enter a conversation; one that is there stays, and gets the participants that it lacks.

        That of two need not be safe from loss of power: its id says who they are, so it is found again.
        """

    def conversation(self, id: str) -> Conversation | None:
        """Return the conversation of that id."""
        ...

    def conversations(self, agent: str) -> Sequence[Conversation]:
        """Return the conversations that an agent takes part in, the latest first."""
        ...

    def pin(self, conversation: str, message: str) -> None:
        """Pin a message to its conversation; the same again is the first."""

    def unpin(self, conversation: str, message: str) -> bool:
        """Take a pin away; return whether there was one."""
        ...

    def pinned(self, conversation: str) -> Sequence[str]:
        """Return the ids of the messages that are pinned to a conversation."""
        ...

    def uploaded(self, agent: str, sha256: str, size: int, at: float) -> None:
        """Note that an agent has uploaded a file; what is noted is forgotten with the file, after 90 days."""

    def upload_size(self, agent: str, sha256: str) -> int | None:
        """Return the bytes of a file that an agent has uploaded; None where it has not."""
        ...

    def annotate(self, message: str, annotation: Annotation) -> None:
        """Keep what a sender said of a message; the first time counts. Safe from loss of power after ``sync``."""

    def sync(self) -> None:
        """Make safe from loss of power all that was written before, from any thread; OSError where that fails."""

    def annotations(self, messages: Collection[str]) -> Mapping[str, Annotation]:
        """Return what was said of messages, by id."""
        ...

    def job(self, agent: str) -> Job | None:
        """Return the message that an agent's endpoint did not take yet."""
        ...

    def note_job(self, agent: str, job: Job) -> None:
        """Note how often a message was posted to an agent's endpoint, in the place of what was noted before."""

    def bury(self, agent: str, letter: DeadLetter) -> None:
        """Note that a message is posted no more; what died 90 days ago is forgotten."""

    def dead_letters(self, agent: str) -> Sequence[DeadLetter]:
        """Return what an agent's endpoint did not take, the latest first."""
        ...

    def unbury(self, agent: str, message: str) -> bool:
        """Have a dead letter posted again; return whether there was one."""
        ...
