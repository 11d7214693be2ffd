"""Operations that wait for the same transaction, and the transaction that runs them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from relaykit.errors import RelaykitError
from relaykit.storage.audience import Audience, audience_of
from relaykit.storage.faults import translate

if TYPE_CHECKING:
    from relaykit.storage.database import Database
    from relaykit.wakeups import Future

T = TypeVar("T")


class Job(Generic[T]):
    """An operation that waits to be run, and then for its caller."""

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
        *,
        synced: bool = False,
    ) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.audience = audience_of(operation)
        self.synced = synced
        self.changed = False
        self.done: Future | None = None
        self.withdrawn = False
        self.result: Any = None
        self.error: Exception | None = None


class SpoiltError(Exception):
    """An operation failed after it had written, so the others of the batch cannot stay with it."""


def transact(database: Database[T], jobs: list[Job[T]], *, patient: bool = True) -> T:
    """Run operations in one transaction, which is returned; each finds its result, or its error, in its job.

    Raises:
        StoreError: It could not begin. One that is not ``patient`` waits for no other process.
        SpoiltError: One of several operations failed after it had written; nothing was kept.
    """
    try:
        return _transact(database, jobs, patient=patient)
    except BaseException:
        database.roll_back()  # in the main thread an interrupt may come at any moment
        raise


def _transact(database: Database[T], jobs: list[Job[T]], *, patient: bool) -> T:
    audience = max((job.audience for job in jobs), default=Audience.NOBODY)
    transaction = database.begin(audience, synced=any(job.synced for job in jobs), patient=patient)
    try:
        for job in jobs:
            _try(database, transaction, job)
        database.commit()
    except Exception as error:
        database.roll_back()
        if len(jobs) > 1:
            raise SpoiltError from error
        jobs[0].changed = False
        jobs[0].error = translate(error, database.path) if isinstance(error, sqlite3.Error) else error
    return transaction


def _try(database: Database[T], transaction: T, job: Job[T]) -> None:
    before = database.changes
    job.error = None
    try:
        job.result = job.operation(transaction, *job.args, **job.kwargs)
    except RelaykitError as refusal:
        if database.changes != before:
            raise
        job.error = refusal
    job.changed = database.changes != before
