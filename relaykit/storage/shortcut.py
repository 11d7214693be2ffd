"""Running a brief operation in the event loop itself, where there is nothing to wait for.

The way to a thread and back takes 0.14 ms on two processors that do nothing else, and several times that while an
agent's program keeps them busy, since every step of it waits for a processor and for the interpreter: longer than a
brief operation takes. So the loop runs such a one itself, unless any of these is so, for it must never wait:

* another process holds the file: the thread waits for it;
* a checkpoint is due or was done: the write after it syncs the log to the disk, which takes as long as the disk does;
* an operation took long in the loop a short while ago: the disk, or the machine, is not to be relied on;
* the loop has run a few since it last went round: others have their turn, and may share the next transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Generic, TypeVar

from relaykit.errors import StoreBusyError, StoreError
from relaykit.storage.audience import Audience
from relaykit.storage.batch import transact

if TYPE_CHECKING:
    from relaykit.storage.batch import Job
    from relaykit.storage.checkpoint import Checkpointer
    from relaykit.storage.database import Database

T = TypeVar("T")

IN_A_ROW = 8
"""How many operations the loop runs before it goes round."""
SLOW_SECONDS = 0.01
"""What a brief operation takes at most where all is well: 50 times its usual."""
WARY = 1000
"""How many operations are the thread's after one that took longer."""


class Shortcut(Generic[T]):
    """The event loop's own way into a store, to be used while the writer's thread rests.

    Args:
        database: The writer's.
        checkpointer: The writer's.
        committed: Told of each transaction that changed something.
        soon: Has a function called when the loop comes round.
    """

    def __init__(
        self,
        database: Database[T],
        checkpointer: Checkpointer,
        committed: Callable[[T, Audience], None],
        soon: Callable[[Callable[[], object]], object],
    ) -> None:
        self._database = database
        self._checkpointer = checkpointer
        self._committed = committed
        self._soon = soon
        self._row = 0
        self._wary = 0

    def take(self, job: Job[T]) -> bool:
        """Run an operation; False where nothing was done and it is the thread's."""
        if self._row == IN_A_ROW or not self._checkpointer.rests:
            return False
        if self._wary:
            self._wary -= 1
            return False
        if not self._row:
            self._soon(self._come_round)
        self._row += 1
        begun = perf_counter()
        done = self._run(job)
        if perf_counter() - begun > SLOW_SECONDS:
            self._wary = WARY
        return done

    def _run(self, job: Job[T]) -> bool:
        try:
            transaction = transact(self._database, [job], patient=False)
        except StoreError as error:
            job.error = error
        if isinstance(job.error, StoreBusyError):
            return False
        if job.changed:
            self._tell(transaction, job.audience)
        return True

    def _tell(self, transaction: T, audience: Audience) -> None:
        if audience is Audience.OTHERS:
            self._soon(partial(self._committed, transaction, audience))  # who merely watches comes after the caller
        else:
            self._committed(transaction, audience)

    def _come_round(self) -> None:
        self._row = 0
