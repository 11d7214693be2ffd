"""The writer: one thread per store, which commits whatever waits in one transaction."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing, suppress
from queue import SimpleQueue
from typing import Any, Concatenate, Generic, NamedTuple, ParamSpec, TypeVar

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from relaykit.errors import StoreError
from relaykit.storage.audience import Audience
from relaykit.storage.batch import Job, SpoiltError, transact
from relaykit.storage.checkpoint import Checkpointer
from relaykit.storage.database import Database
from relaykit.storage.shortcut import Shortcut
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


class Writer(Generic[T]):
    """An executor with a thread of its own and group commit, and a shortcut for a brief operation that is alone.

    The thread runs all that waits in one transaction and tells the event loop once. Meanwhile what comes gathers in the
    loop, and goes to the thread together with what the callers of the last batch ask for next: a thread that works
    while the loop still wakes them would take small batches, and contend with the loop for the interpreter at every
    statement. An operation that refuses before it wrote leaves the others alone; where one fails after it wrote, the
    batch is undone and each operation runs in a transaction of its own, so that only that one fails.
    """

    def __init__(self, name: str, open_database: Callable[[], Database[T]], committed: Committed[T]) -> None:
        self._open = open_database
        self._committed = committed
        self._shortcut: Shortcut[T]
        self._waiting: list[Job[T]] = []
        self._taken: list[Job[T]] = []
        self._busy = False
        self._batches: SimpleQueue[list[Job[T]]] = SimpleQueue()
        self._closed = False
        self._loop = _running_loop()
        self._opened = anyio.Event()
        self._ended = anyio.Event()
        self._fault: Exception | None = None
        # A daemon, so that a disk that hangs cannot keep the process.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    # None is a coroutine function: a second coroutine around the one that waits would cost every operation a step.
    def run(
        self, operation: Callable[Concatenate[T, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        """Run an operation with the next batch."""
        return self._outcome(Job(operation, args, kwargs))

    def run_brief(
        self, operation: Callable[Concatenate[T, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        """Run an operation in the event loop itself, where nobody else asks and nothing is to be waited for."""
        job: Job[T] = Job(operation, args, kwargs)
        return self._outcome(job) if self._busy else self._brief_outcome(job)

    def run_synced(
        self, operation: Callable[Concatenate[T, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        """Run an operation with the next batch, which is synced to the disk as a whole."""
        return self._outcome(Job(operation, args, kwargs, synced=True))

    async def _brief_outcome(self, job: Job[T]) -> Any:
        await checkpoint_if_cancelled()
        if not (self._busy or self._closed) and self._shortcut.take(job):
            return _result(job)
        return await self._outcome(job)

    async def _outcome(self, job: Job[T]) -> Any:
        if self._closed:
            raise StoreError("the store is closed")
        job.done = self._loop.future()
        self._waiting.append(job)
        if not self._busy:
            self._hand_over()
        try:
            await job.done
        except BaseException:
            job.withdrawn = True
            raise
        return _result(job)

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
                self._shortcut = Shortcut(database, checkpointer, self._committed, self._loop.call_last)
                self._tell(self._opened.set)
                while batch := self._batches.get():
                    checkpointer.note()
                    self._run(database, batch)
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
        """Wake the callers of a batch, and hand over once they had their turn; where it had one, the thread rests."""
        done, self._taken = self._taken, []
        for job in done:
            _wake(job)
        if len(done) > 1 or self._waiting or self._closed:
            self._loop.call_last(self._hand_over)
        else:
            self._busy = False

    def _run(self, database: Database[T], batch: list[Job[T]]) -> None:
        wanted = [job for job in batch if not job.withdrawn]
        groups = [wanted] if wanted else []
        while groups:
            group, *groups = groups
            try:
                transaction = transact(database, group)
            except SpoiltError:
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
        committed: Called where the transaction was run after each one that changed something, before its callers go on;
            of one that is for those alone who watch from another process, a moment later.

    Raises:
        StoreError: It cannot be opened.
    """
    writer = Writer(name, open_database, committed)
    await writer.start()
    try:
        yield writer
    finally:
        await writer.close()


def _wake(job: Job[Any]) -> None:
    if job.done is not None and not job.done.done():  # who waited may have been cancelled
        job.done.set_result(None)


def _result(job: Job[Any]) -> Any:
    if job.error is not None:
        raise job.error
    return job.result


def _running_loop() -> _Loop:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        import trio  # noqa: PLC0415 - it is the loop that runs, so it is imported already

        soon = trio.lowlevel.current_trio_token().run_sync_soon
        return _Loop(soon, soon, future_maker())
    return _Loop(loop.call_soon_threadsafe, loop.call_soon, future_maker())
