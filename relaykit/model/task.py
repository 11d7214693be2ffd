"""Work that a message carries, and what readers of a message made known about it."""

from __future__ import annotations

from enum import StrEnum

from relaykit.model.record import Record


class TaskState(StrEnum):
    """How far a task is."""

    OPEN = "open"
    CLAIMED = "claimed"
    """An agent has it: by the lease of its delivery, or by its word while the delivery waits."""
    IN_PROGRESS = "in progress"
    """The turn that takes it has begun."""
    DONE = "done"
    FAILED = "failed"


class Task(Record, frozen=True, kw_only=True):
    """A message's task as one delivery carries it: each recipient has its own, any of a group one together."""

    delivery: int
    message: str
    title: str
    state: TaskState
    agent: str | None
    """Who has it, or had it last."""
    turn: str | None
    """The turn that took it."""
    note: str
    """Why it ended so, or what the agent said of it."""


class Reaction(Record, frozen=True, kw_only=True):
    """A word or a sign on a message, by someone who has it."""

    who: str
    what: str
    at: float
    """Wall-clock seconds, for display."""
