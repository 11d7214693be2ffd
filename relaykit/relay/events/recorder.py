"""The recorder: numbers what a session does, stores it, and only then shows it to anyone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress

import anyio
import anyio.lowlevel
from msgspec.structs import replace

from relaykit.errors import StoreError
from relaykit.model import BlockDelta, Event, Occurrence, SessionRecord
from relaykit.plugin import Clock, SessionStore
from relaykit.relay.events.fanout import Fanout
from relaykit.relay.events.openblocks import OpenBlocks
from relaykit.relay.events.pending import Entry, Mark, Pending
from relaykit.wakeups import AutoResetEvent

_BATCH = 1024
"""Entries in one transaction: enough to make its cost vanish, few enough to be quick."""
_SAVE_SECONDS = 1.0
_FINISH_SECONDS = 5.0

Notify = Callable[[StoreError | None], None]


def back_off(first: float = 0.1, longest: float = 5.0) -> Iterator[float]:
    """Yield the seconds to wait before each further try: doubling, up to ``longest``."""
    pause = first
    while True:
        yield pause
        pause = min(pause * 2, longest)


class Recorder:
    """Records one session. Made by ``open_recorder``."""

    def __init__(
        self,
        record: SessionRecord,
        *,
        store: SessionStore,
        fanout: Fanout,
        clock: Clock,
        notify: Notify,
        limit: int,
        gather: float,
    ) -> None:
        self._record = record
        self._store = store
        self._fanout = fanout
        self._clock = clock
        self._notify = notify
        self._gather_seconds = gather
        self._number = record.last_number
        self._blocks = OpenBlocks(record.agent, record.id, record.last_number)
        self._pending = Pending(limit)
        self._wake = AutoResetEvent()
        self._hurry = AutoResetEvent()
        self._unsaved = AutoResetEvent()
        self._save_due = False
        self._marks: set[Mark] = set()
        self._recording = self._over = False
        # A relay that is cancelled still has its last events stored: only ``stop`` ends the recording.
        self._scope = anyio.CancelScope(shield=True)
        self.failing: StoreError | None = None
        """Why the store takes nothing at the moment; None while it does. Everything is kept and tried again."""

    def offer(self, what: Occurrence) -> None:
        """Take in what happened. Never waits and never refuses."""
        self._pending.add(self._clock.now(), what)
        self._wake.set()

    def hurry(self) -> None:
        """Have what was offered stored now: somebody is going to wait for it."""
        self._wake.set()
        self._hurry.set()

    async def flush(self) -> None:
        """Return when everything that was offered before is stored and published.

        Waits for as long as the store fails. StoreError where the recorder is closed before that.
        """
        if not (self._pending or self._save_due or self._recording or self._over):
            return
        mark = self._pending.mark()
        self._marks.add(mark)
        self.hurry()
        try:
            if not self._over:
                await mark.reached.wait()
        finally:
            self._marks.discard(mark)
        if not mark.recorded:
            raise StoreError(f"session {self._record.id}: its last events were not stored") from self.failing

    def snapshot(self) -> list[Event]:
        """Return what a late joiner lacks: the start of each open block, and its text so far as one delta."""
        return self._blocks.snapshot()

    async def run(self) -> None:
        """Record until stopped."""
        try:
            with self._scope:
                while True:
                    await self._wake.wait()
                    if self._gather_seconds:
                        await self._gather()
                    self._wake.clear()
                    await self._record_pending()
        finally:
            self._over = True
            for mark in self._marks:
                mark.reached.set()

    def stop(self) -> None:
        """Record no more."""
        self._scope.cancel()

    async def remind(self) -> None:
        """Have the text so far saved a while after there is some."""
        while True:
            await self._unsaved.wait()
            await self._clock.sleep(_SAVE_SECONDS)
            self._unsaved.clear()
            self._save_due = True
            self._wake.set()

    async def finish(self) -> None:
        """Store what there is, unfinished text too, unless the recording broke down."""
        with suppress(StoreError):
            await self.flush()
            self._save_due = self._blocks.unsaved
            await self.flush()

    async def _gather(self) -> None:
        """Let more come for the same transaction, unless somebody waits for it."""
        if not self._hurry.is_set():
            with anyio.move_on_after(self._gather_seconds):
                await self._hurry.wait()
        self._hurry.clear()

    async def _record_pending(self) -> None:
        """Record what there is now; what comes meanwhile gathers for the next time."""
        while self._pending or self._save_due:
            self._recording = True
            batch = self._pending.take(_BATCH)
            if not self._save_due:
                self._reach_first(batch)
            await self._record_batch(batch)
            self._recording = False
            if len(batch) < _BATCH:
                return
            await anyio.lowlevel.checkpoint()  # others want to run, too, while much is caught up with

    def _reach_first(self, batch: Sequence[Entry]) -> None:
        """Tell those who wait for nothing in this batch."""
        for _, what in batch:
            if not isinstance(what, Mark):
                return
            what.reach()

    async def _record_batch(self, batch: Sequence[Entry]) -> None:
        durable = [self._numbered(at, what) for at, what in batch if not isinstance(what, (BlockDelta, Mark))]
        partials = self._blocks.partials() if self._save_due else []
        self._save_due = False
        if durable or partials:
            await self._store_batch(batch, durable, partials)
        else:
            self._publish(batch, ())
        if self._blocks.unsaved:
            self._unsaved.set()

    def _numbered(self, at: float, what: Occurrence) -> Event:
        self._number += 1
        return Event(agent=self._record.agent, session=self._record.id, number=self._number, at=at, what=what)

    async def _store_batch(
        self, batch: Sequence[Entry], durable: Sequence[Event], partials: Sequence[tuple[str, str, str]]
    ) -> None:
        pauses = back_off()
        while True:
            try:
                async with self._fanout.in_order:
                    cursors = await self._store.append(durable, partials)
                    self._publish(batch, map(_with_cursor, durable, cursors))
            except StoreError as error:
                self._report(error)
                await self._clock.sleep(next(pauses))
            else:
                self._report(None)
                return

    def _report(self, error: StoreError | None) -> None:
        changed = (error is None) != (self.failing is None)
        self.failing = error
        if changed:
            self._notify(error)

    def _publish(self, batch: Iterable[Entry], stored: Iterable[Event]) -> None:
        self._fanout.publish(list(self._stamped(batch, iter(stored))))

    def _stamped(self, batch: Iterable[Entry], stored: Iterator[Event]) -> Iterator[Event]:
        for at, what in batch:
            if isinstance(what, BlockDelta):
                yield self._blocks.delta(at, what)
            elif isinstance(what, Mark):
                what.reach()
            else:
                event = next(stored)
                self._blocks.durable(event)
                yield event


def _with_cursor(event: Event, cursor: int) -> Event:
    return replace(event, cursor=cursor)


def _ignore(_: StoreError | None) -> None:
    pass


@asynccontextmanager
async def open_recorder(
    record: SessionRecord,
    *,
    store: SessionStore,
    fanout: Fanout,
    clock: Clock,
    notify: Notify = _ignore,
    limit: int = 64 * 2**20,
    gather: float = 0.0,
) -> AsyncIterator[Recorder]:
    """Record a session until the context is left; what was offered by then is stored first, for at most 5 s.

    Args:
        record: As ``SessionStore.begin`` returned it: numbers go on from its last.
        store: Takes the durable events.
        fanout: Is given every event in order, durable ones once they are stored.
        clock: Gives the time of events, and of the saving of unfinished text.
        notify: Called with the error when the store begins to fail, and with None when it takes events again.
        limit: Bytes that may wait before the deltas of each block are merged.
        gather: Seconds that events wait for others to be stored with, unless somebody flushes.
    """
    raised: list[Exception] = []
    recorder = Recorder(record, store=store, fanout=fanout, clock=clock, notify=notify, limit=limit, gather=gather)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(recorder.run, name=f"recorder of {record.agent}")
        tasks.start_soon(recorder.remind, name=f"saving of {record.agent}'s unfinished text")
        with fanout.source(record.agent, recorder.snapshot):
            try:
                yield recorder
            except Exception as error:  # noqa: BLE001 - a task group would wrap it; it is raised below
                raised.append(error)
            finally:
                with anyio.move_on_after(_FINISH_SECONDS, shield=True):
                    await recorder.finish()
                recorder.stop()
                tasks.cancel_scope.cancel()
    for caught in raised:
        raise caught
