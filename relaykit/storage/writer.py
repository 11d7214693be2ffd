"""The writer: one thread per store, which commits whatever waits in one transaction."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing, suppress
from queue import SimpleQueue
from typing import Any, Concatenate, Generic, NamedTuple, ParamSpec, TypeVar

import anyio

from relaykit.errors import RelaykitError, StoreError
from relaykit.storage.audience import Audience, audience_of
from relaykit.storage.checkpoint import Checkpointer
from relaykit.storage.database import Database
from relaykit.storage.faults import translate
from relaykit.wakeups import Future, future_maker

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")

Committed = Callable[[T, Audience], None]
"""Told of each transaction that changed something, and who has to look."""
BATCH = 256
"""Operations in one transaction at most."""
_CLOSE_SECONDS = 10.0


class _Loop(NamedTuple):
    """What the writer needs of the event loop: its own primitives, for they are on every operation's way."""

    call_soon: Callable[[Callable[[], object]], object]
    """Has a function called in the loop, from any thread and without waiting for it."""
    call_last: Callable[[Callable[[], object]], object]
    """Has a function called in the loop, from the loop, after whoever was woken before."""
    future: Callable[[], Future]


class _Job(Generic[T]):
    """An operation that waits for the thread, and then for its caller."""

    __slots__ = (
        "args",
        "audience",
        "changed",
        "done",
        "error",
        "kwargs",
        "operation",
        "result",
        "synced",
        "withdrawn",
    )

    def __init__(
        self,
        operation: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        done: Future,
        *,
        synced: bool,
    ) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.audience = audience_of(operation)
        self.synced = synced
        self.changed = False
        self.done = done
        self.withdrawn = False
        self.result: Any = None
        self.error: Exception | None = None


class _SpoiltError(Exception):
    """An operation failed after it had written, so the others of the batch cannot stay with it."""


class Writer(Generic[T]):
    """An executor with a thread of its own and group commit.

    The thread runs all that waits in one transaction and tells the event loop once. Meanwhile what comes gathers in the
    loop, and goes to the thread together with what the callers of the last batch ask for next: a thread that works
    while the loop still wakes them would take small batches, and contend with the loop for the interpreter at every
    statement. An operation that refuses before it wrote leaves the others alone; where one fails after it wrote, the batch is undone and each
    operation runs in a transaction of its own, so that only that one fails.
    """

    def __init__(self, name: str, open_database: Callable[[], Database[T]], committed: Committed[T]) -> None:
        self._open = open_database
        self._committed = committed
        self._waiting: list[_Job[T]] = []
        self._taken: list[_Job[T]] = []
        self._busy = False
        self._batches: SimpleQueue[list[_Job[T]]] = SimpleQueue()
        self._closed = False
        self._loop = _running_loop()
        self._opened = anyio.Event()
        self._ended = anyio.Event()
        self._fault: Exception | None = None
        # A daemon, so that a disk that hangs cannot keep the process.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    # Neither is a coroutine function: a second coroutine around the one that waits would cost every operation a step.
    def run(
        self, operation: Callable[Concatenate[T, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        """Run an operation with the next batch."""
        return self._outcome(_Job(operation, args, kwargs, self._loop.future(), synced=False))

    def run_synced(
        self, operation: Callable[Concatenate[T, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        """Run an operation with the next batch, which is synced to the disk as a whole."""
        return self._outcome(_Job(operation, args, kwargs, self._loop.future(), synced=True))

    async def _outcome(self, job: _Job[T]) -> Any:
        if self._closed:
            raise StoreError("the store is closed")
        self._waiting.append(job)
        if not self._busy:
            self._hand_over()
        try:
            await job.done
        except BaseException:
            job.withdrawn = True
            raise
        if job.error is not None:
            raise job.error
        return job.result

    async def start(self) -> None:
        """Start the thread; return when the store is open, or raise why it cannot be."""
        self._thread.start()
        await self._opened.wait()
        if self._fault is not None:
            raise self._fault

    async def close(self) -> None:
        """Finish what was accepted, then close the store; give up on a disk that hangs."""
        self._closed = True
        if not self._busy:
            self._hand_over()
        with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
            await self._ended.wait()

    def _work(self) -> None:
        try:
            with closing(self._open()) as database, closing(Checkpointer(database)) as checkpointer:
                self._tell(self._opened.set)
                while batch := self._batches.get():
                    self._run(database, batch)
                    checkpointer.note()
        except Exception as error:  # noqa: BLE001 - whoever opens the store, or waits for it, gets it
            self._fault = error
        self._tell(self._end)

    def _end(self) -> None:
        """Let nobody wait for a thread that is gone."""
        self._closed = True
        for job in (*self._taken, *self._waiting):
            job.error = self._fault or StoreError("the store is closed")
            _wake(job)
        self._opened.set()
        self._ended.set()

    def _hand_over(self) -> None:
        """Give the thread what waits; the empty batch, its end, once the store is closed and nothing does."""
        self._taken, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        self._busy = bool(self._taken)
        if self._busy or self._closed:
            self._batches.put(self._taken)

    def _finish(self) -> None:
        """Wake the callers of a batch, and hand over once they had their turn."""
        done, self._taken = self._taken, []
        for job in done:
            _wake(job)
        self._loop.call_last(self._hand_over)

    def _run(self, database: Database[T], batch: list[_Job[T]]) -> None:
        groups = [[job for job in batch if not job.withdrawn]]
        while groups:
            group, *groups = groups
            try:
                transaction = _transact(database, group)
            except _SpoiltError:
                groups = [[job] for job in group]
            except StoreError as error:
                # It could not begin. Another try for each would make each wait as long.
                for job in [*group, *(job for later in groups for job in later)]:
                    job.error = error
                break
            else:
                if changed := [job.audience for job in group if job.changed]:
                    self._committed(transaction, max(changed))
        self._tell(self._finish)

    def _tell(self, call: Callable[[], object]) -> None:
        # A loop that is gone has nobody left who waits.
        with suppress(RuntimeError):
            self._loop.call_soon(call)


@asynccontextmanager
async def open_writer(
    name: str, open_database: Callable[[], Database[T]], committed: Committed[T]
) -> AsyncIterator[Writer[T]]:
    """Open a store with a writer of its own; leaving finishes what was accepted, in 10 seconds at most.

    Args:
        name: The thread's.
        open_database: Called in the thread; the file is opened, migrated and checked there.
        committed: Called in the thread after each transaction that changed something, before its callers go on.

    Raises:
        StoreError: It cannot be opened.
    """
    writer = Writer(name, open_database, committed)
    await writer.start()
    try:
        yield writer
    finally:
        await writer.close()


def _transact(database: Database[T], jobs: list[_Job[T]]) -> T:
    audience = max((job.audience for job in jobs), default=Audience.NOBODY)
    transaction = database.begin(audience, synced=any(job.synced for job in jobs))
    try:
        for job in jobs:
            _try(database, transaction, job)
        database.commit()
    except Exception as error:
        database.roll_back()
        if len(jobs) > 1:
            raise _SpoiltError from error
        jobs[0].changed = False
        jobs[0].error = translate(error, database.path) if isinstance(error, sqlite3.Error) else error
    return transaction


def _try(database: Database[T], transaction: T, job: _Job[T]) -> None:
    before = database.changes
    job.error = None
    try:
        job.result = job.operation(transaction, *job.args, **job.kwargs)
    except RelaykitError as refusal:
        if database.changes != before:
            raise
        job.error = refusal
    job.changed = database.changes != before


def _wake(job: _Job[Any]) -> None:
    if not job.done.done():  # who waited may have been cancelled
        job.done.set_result(None)


def _running_loop() -> _Loop:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        import trio  # noqa: PLC0415 - it is the loop that runs, so it is imported already

        soon = trio.lowlevel.current_trio_token().run_sync_soon
        return _Loop(soon, soon, future_maker())
    return _Loop(loop.call_soon_threadsafe, loop.call_soon, future_maker())
