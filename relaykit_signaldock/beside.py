"""Tasks that run beside a body."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup


@asynccontextmanager
async def beside() -> AsyncIterator[TaskGroup]:
    """Run tasks beside the body; they end with it, and its own error comes out as it was and not in a group."""
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        try:
            yield tasks
        except Exception as error:  # noqa: BLE001 - it is raised below
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
