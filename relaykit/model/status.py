"""How an agent is: one word with its reasons."""

from __future__ import annotations

from enum import StrEnum

from relaykit.model.record import Record


class StatusKind(StrEnum):
    """What an agent is doing."""

    IDLE = "idle"
    BUSY = "busy"
    OFFLINE = "offline"
    ERROR = "error"


class WorkItem(Record, frozen=True, kw_only=True):
    """One reason for which an agent is busy."""

    kind: str
    """``turn``, ``message``, ``task``, ``command``, ``permission``, ``subagent`` or ``compaction``."""
    id: str
    label: str = ""


class Status(Record, frozen=True, kw_only=True):
    """How an agent is."""

    kind: StatusKind
    reason: str = ""
    """One word for programs: ``turn``, ``starting``, ``paused``, ``silent``, ``store``, ``gave_up``, …"""
    detail: str = ""
    """One line for people."""
    since: float = 0.0
    """Wall-clock seconds."""
    next_try: float | None = None
    """Wall-clock seconds of the next try, while the agent is paused by an error."""
    work: tuple[WorkItem, ...] = ()


OFFLINE = Status(kind=StatusKind.OFFLINE)
