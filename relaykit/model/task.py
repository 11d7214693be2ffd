"""Work that a message carries, and what readers of a message made known about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TaskState(StrEnum):
    """How far a task is."""

    OPEN = "open"
    CLAIMED = "claimed"
    """An agent has it: by the lease of its delivery, or by its word while the delivery waits."""
    IN_PROGRESS = "in progress"
    """The turn that takes it has begun."""
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """A word or a sign on a message, by someone who has it."""

    who: str
    what: str
    at: float
    """Wall-clock seconds, for display."""
