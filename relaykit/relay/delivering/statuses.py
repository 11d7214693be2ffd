"""How an agent is, in one word with its reasons, from what its worker knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from relaykit.model import (
    BlockEnded,
    BlockKind,
    BlockStarted,
    ProviderNote,
    Status,
    StatusChanged,
    StatusKind,
    WorkItem,
)
from relaykit.relay.delivering.hooked import HOOK

if TYPE_CHECKING:
    from relaykit.model import Occurrence
    from relaykit.relay.delivering.state import WorkerState


def is_reason(what: Occurrence) -> bool:
    """Whether a status may have other reasons after it."""
    match what:
        case BlockStarted() | BlockEnded():
            return what.block.kind is BlockKind.SUBAGENT
        case ProviderNote():
            return what.name.startswith(HOOK)
        case _:
            return False


class StatusBoard:
    """Reports the worker's status when it changed."""

    def __init__(self, state: WorkerState) -> None:
        self._state = state
        self._noted: Status | None = None
        self._stamped: Status | None = None
        self._told: Status | None = None

    def report(self) -> None:
        """Say how the agent is now, in the directory and as an event, unless that was said already."""
        self.note()
        if self._stamped is not None and self._stamped is not self._told:
            self._told = self._stamped
            self._state.recorder.offer(StatusChanged(status=self._stamped))
            if self._stamped.kind is StatusKind.IDLE:
                self._state.recorder.hurry()  # nothing follows that it could be stored with

    def note(self) -> None:
        """Have the directory told how the agent is now, with what is written next; the event comes with the report."""
        state, status = self._state, self._status()
        if status == self._noted and not state.cleared:
            return
        self._noted = status
        self._stamped = replace(status, since=state.clock.now())
        session = None if state.cleared else state.session.id
        state.notebook.status(self._stamped, pid=state.session.pid, session=session)

    def _status(self) -> Status:
        state = self._state
        if state.recorder.failing or state.claimed.failing:
            failing = state.recorder.failing or state.claimed.failing
            return Status(kind=StatusKind.ERROR, reason="store", detail=str(failing))
        if state.pause.remaining and state.pause.fault:
            return self._paused()
        if state.busy or state.command or state.turns.questions:
            return Status(kind=StatusKind.BUSY, reason=self._reason(), work=self._work())
        return Status(kind=StatusKind.IDLE)

    def _paused(self) -> Status:
        pause = self._state.pause
        return Status(
            kind=StatusKind.ERROR,
            reason="paused",
            detail=pause.fault.message if pause.fault else "",
            next_try=pause.next_try,
        )

    def _reason(self) -> str:
        state = self._state
        if state.turns.questions:
            return "permission"
        if state.silent:
            return "silent"
        if state.stopping:
            return "stopping"
        return "command" if state.command else "turn"

    def _work(self) -> tuple[WorkItem, ...]:
        state = self._state
        turns, command = state.turns, state.command
        found = [WorkItem(kind="turn", id=turns.running.id)] if turns.running else []
        found += [WorkItem(kind="message", id=item.message.id) for item in state.held.all()]
        found += [
            WorkItem(kind="task", id=item.message.id, label=item.message.task)
            for item in state.held.all()
            if item.message.task is not None
        ]
        found += [WorkItem(kind="permission", id=key) for key in sorted(turns.questions)]
        found += [WorkItem(kind="subagent", id=block, label=name) for block, name in turns.subagents.items()]
        found += turns.hooked.items()
        if command is not None:
            found.append(WorkItem(kind="command", id=command.id, label=command.kind.value))
        return tuple(found)
