"""Who runs an agent: an OS lock per agent, and one heartbeat and one lifeline per relay."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

import anyio

from relaykit.errors import AlreadyRunError, StoreError
from relaykit.model import RelayRecord
from relaykit.plugin import Clock, Mailbox
from relaykit.relay.directories import private_directory
from relaykit.relay.lifelines import dead, forget, lifeline

if TYPE_CHECKING:
    from relaykit.relay.services import Services

BEAT_SECONDS = 10.0
_TRIES = 10
_TRY_SECONDS = 0.005
STALE_SECONDS = 30.0
"""A relay whose last beat is older has stopped to live, as far as other relays can tell without its locks."""


def lock_path(home: Path, agent: str) -> Path:
    """Return the file whose lock is the right to run the agent."""
    return home / "locks" / f"{agent}.lock"


LASTING_FILE = "tools"
"""In the directory of an agent's children: the token that those have which outlive the relay."""


def children_directory(home: Path, agent: str) -> Path:
    """Return where the agent's processes are written down."""
    return home / "run" / agent


@contextmanager
def agent_lock(home: Path, agent: str) -> Iterator[None]:
    """Hold the right to run an agent; the kernel gives it back when this process dies.

    Raises:
        AlreadyRunError: Another process holds it; the message names it.
    """
    path = lock_path(home, agent)
    private_directory(path.parent)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+", encoding="utf-8") as file:
        if not _locked(file):
            raise AlreadyRunError(_held(agent, file.read()))
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "cwd": str(Path.cwd())}))
        file.flush()
        yield
        file.truncate(0)


def _locked(file: IO[str]) -> bool:
    """Try for a moment: whoever only looks whether the agent is run holds the lock for an instant."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_TRY_SECONDS)
        else:
            return True
    return False


def _held(agent: str, holder: str) -> str:
    try:
        who = json.loads(holder)
    except ValueError:  # it is only now writing its name
        who = {}
    return (
        f"agent {agent!r} is run already, by process {who.get('pid', 'unknown')} started in {who.get('cwd', 'unknown')}; "
        f"stop it with `relaykit stop {agent}`, or run another with `--agent NAME`"
    )


@asynccontextmanager
async def presence(home: Path, mailbox: Mailbox, clock: Clock, incarnation: str) -> AsyncIterator[None]:
    """Keep this relay entered in the mailbox, with a heartbeat and a lifeline, while the context is open.

    One that breaks down stays entered, as one that is killed does: what it held was held by the dead.
    """
    record = RelayRecord(incarnation=incarnation, pid=os.getpid(), boot=clock.boot_id(), beat=clock.boot())
    with lifeline(home, incarnation):
        await mailbox.join(record)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_beat, home, mailbox, clock, incarnation, name="heartbeat")
                yield
                tasks.cancel_scope.cancel()
        except BaseException as error:
            if _was_refused(error):
                await _leave(mailbox, incarnation)
            raise
        await _leave(mailbox, incarnation)


def _was_refused(error: BaseException) -> bool:
    """Whether a relay ends because another runs one of its agents: that is nobody's death."""
    if isinstance(error, BaseExceptionGroup):
        return error.split(AlreadyRunError)[1] is None
    return isinstance(error, AlreadyRunError)


async def _leave(mailbox: Mailbox, incarnation: str) -> None:
    with anyio.move_on_after(5, shield=True):
        await mailbox.leave(incarnation)


async def _beat(home: Path, mailbox: Mailbox, clock: Clock, incarnation: str) -> None:
    while True:
        await _release(home, mailbox, clock)
        await clock.sleep(BEAT_SECONDS)
        with suppress(StoreError):  # the next one makes it good, or the relay counts as stale
            await mailbox.beat(incarnation, clock.boot_id(), clock.boot())


async def _release(home: Path, mailbox: Mailbox, clock: Clock) -> None:
    """Free what relays held that are known to be dead, or of which nothing was heard for too long."""
    found = dead(home)
    with suppress(StoreError, OSError):  # they are found once more at the next beat
        await mailbox.release_stale(clock.boot_id(), clock.boot() - STALE_SECONDS, found)
        forget(home, found)


async def last_run(services: Services, agent: str) -> tuple[str | None, bool]:
    """Return the session of the agent's last run, and whether its relay died on this boot, without taking leave."""
    entry = next((one for one in await services.mailbox.agents() if one.agent.id == agent), None)
    if entry is None:
        return None, False
    last = next((relay for relay in await services.mailbox.relays() if relay.incarnation == entry.owner), None)
    return entry.session, last is not None and last.boot == services.clock.boot_id()
