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
    from relaykit.relay.delivering.worker import Worker


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

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._noted: Status | None = None
        self._stamped: Status | None = None
        self._told: Status | None = None

    def report(self) -> None:
        """Say how the agent is now, in the directory and as an event, unless that was said already."""
        self.note()
        if self._stamped is not None and self._stamped is not self._told:
            self._told = self._stamped
            self._worker.recorder.offer(StatusChanged(status=self._stamped))

    def note(self) -> None:
        """Have the directory told how the agent is now, with what is written next; the event comes with the report."""
        worker, status = self._worker, self._status()
        if status == self._noted and not worker.cleared:
            return
        self._noted = status
        self._stamped = replace(status, since=worker.clock.now())
        session = None if worker.cleared else worker.session.id
        worker.notebook.status(self._stamped, pid=worker.session.pid, session=session)

    def _status(self) -> Status:
        worker = self._worker
        if worker.recorder.failing or worker.claimed.failing:
            failing = worker.recorder.failing or worker.claimed.failing
            return Status(kind=StatusKind.ERROR, reason="store", detail=str(failing))
        if worker.pause.remaining and worker.pause.fault:
            return self._paused()
        if worker.busy or worker.orders.current:
            return Status(kind=StatusKind.BUSY, reason=self._reason(), work=self._work())
        return Status(kind=StatusKind.IDLE)

    def _paused(self) -> Status:
        pause = self._worker.pause
        return Status(
            kind=StatusKind.ERROR,
            reason="paused",
            detail=pause.fault.message if pause.fault else "",
            next_try=pause.next_try,
        )

    def _reason(self) -> str:
        worker = self._worker
        if worker.turns.questions:
            return "permission"
        if worker.silent:
            return "silent"
        if worker.stopping:
            return "stopping"
        return "command" if worker.orders.current else "turn"

    def _work(self) -> tuple[WorkItem, ...]:
        worker = self._worker
        turns, command = worker.turns, worker.orders.current
        found = [WorkItem(kind="turn", id=turns.running.id)] if turns.running else []
        found += [WorkItem(kind="message", id=item.message.id) for item in worker.held.all()]
        found += [
            WorkItem(kind="task", id=item.message.id, label=item.message.task)
            for item in worker.held.all()
            if item.message.task is not None
        ]
        found += [WorkItem(kind="permission", id=key) for key in sorted(turns.questions)]
        found += [WorkItem(kind="subagent", id=block, label=name) for block, name in turns.subagents.items()]
        found += turns.hooked.items()
        if command is not None:
            found.append(WorkItem(kind="command", id=command.id, label=command.kind.value))
        return tuple(found)
