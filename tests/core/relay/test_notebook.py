from __future__ import annotations

import anyio
import pytest

from relaykit.model import Lease, Noted
from relaykit.relay.delivering.notebook import Notebook
from relaykit.testing.clock import VirtualClock

pytestmark = pytest.mark.anyio

LEASE = Lease(1, "relay", 1, 1)


class Paper:
    """Takes notes, each write only once it is let go."""

    def __init__(self) -> None:
        self.written: list[str | None] = []
        self.changed = anyio.Event()
        self.go = anyio.Event()

    async def note(self, steps: list[Noted], _how: object) -> None:
        await self.go.wait()
        self.written += [step.turn for step in steps]
        self.changed.set()
        self.changed = anyio.Event()

    async def has(self, *turns: str) -> None:
        with anyio.fail_after(5):
            while self.written != list(turns):
                await self.changed.wait()


async def test_what_is_noted_after_someone_waited_for_a_write_is_written_too() -> None:
    paper = Paper()
    notebook = Notebook(paper, VirtualClock())  # type: ignore[arg-type]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(notebook.run, name="notes")
        notebook.step(LEASE, "first")
        with anyio.fail_after(5):
            while not notebook._writing.statistics().locked:
                await anyio.lowlevel.checkpoint()
        tasks.start_soon(notebook.write_steps, name="one who needs it")
        await anyio.wait_all_tasks_blocked()
        paper.go.set()
        await paper.has("first")
        await anyio.wait_all_tasks_blocked()
        notebook.step(LEASE, "second")
        await paper.has("first", "second")
        tasks.cancel_scope.cancel()
