"""An order to an agent's life."""

from __future__ import annotations

from enum import StrEnum

from relaykit.model.record import Record

DRAIN = "drain"
"""The text of a ``stop`` that waits for the running turn however long it takes."""


class CommandKind(StrEnum):
    """What is ordered."""

    INTERRUPT = "interrupt"
    STEER = "steer"
    INJECT = "inject"
    COMPACT = "compact"
    MODEL = "model"
    PERMISSION_MODE = "permission-mode"
    CLEAR = "clear"
    RESTART = "restart"
    RECONNECT = "reconnect"
    """Its session is joined anew: of a detached process only the connection ends, any other is started again."""
    STOP = "stop"
    KILL = "kill"
    ATTACH = "attach"
    """A person joins its session in a terminal; ``text`` says which process that is."""

    @property
    def ends_agent(self) -> bool:
        """Whether it is done when the agent's lock is free."""
        return self in (CommandKind.STOP, CommandKind.KILL)


class CommandState(StrEnum):
    """Where a command is."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens."""
        return self in (CommandState.SUCCEEDED, CommandState.FAILED)


class Command(Record, frozen=True, kw_only=True):
    """An order to an agent's life, with its own states."""

    id: str
    agent: str
    kind: CommandKind
    epoch: int
    """The agent's epoch when it was given: it is never run in another."""
    state: CommandState
    text: str = ""
    """For ``steer``, ``inject`` and ``model``."""
    sender: str = ""
    created_at: float = 0.0
    take_by: float = 0.0
    """Wall-clock seconds until which someone must take it."""
    result: str = ""
    """What came of it, one line."""
