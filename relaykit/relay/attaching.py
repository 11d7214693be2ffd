"""A person has an agent's session in a terminal: how it is handed over, and how it comes back.

Who takes it is a process, and stays one: the command line becomes the agent's own program. It holds the session for as
long as it lives, so a terminal that is closed, or a program that is killed, gives it back. That is written down
before the session is given away, so that the next relay leaves it alone, too.
"""

from __future__ import annotations

import json
import os
from functools import partial
from typing import TYPE_CHECKING

import anyio
from msgspec import Struct
from msgspec.structs import asdict

from relaykit.errors import ProviderError
from relaykit.model import CommandState, Fault, Report, Status, StatusKind, Whose
from relaykit.plugin import Attaches
from relaykit.relay.children.proc import process_stat, wait_exit
from relaykit.relay.directories import private_directory
from relaykit.relay.insisting import insist, unless

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from relaykit.model import Command
    from relaykit.plugin import Session, Terminal
    from relaykit.relay.services import Services
    from relaykit.wakeups import AutoResetEvent


class Holder(Struct, frozen=True, kw_only=True):
    """The process that has, or wants, an agent's session."""

    pid: int
    start: int
    """In clock ticks since the machine's boot."""
    boot: str

    @property
    def alive(self) -> bool:
        """Whether it runs, and not a stranger under its number."""
        stat = process_stat(self.pid)
        return stat is not None and stat.alive and stat.start == self.start


def this_process(boot: str) -> Holder:
    """Return the process that calls."""
    stat = process_stat(os.getpid())
    return Holder(pid=os.getpid(), start=stat.start if stat else 0, boot=boot)


def holder_path(home: Path, agent: str) -> Path:
    """Return where it is written down who has the agent's session."""
    return home / "attached" / f"{agent}.json"


class Attaching:
    """The session of one agent on its way to a person and back."""

    def __init__(self, agent: str, services: Services, stopped: Callable[[], bool]) -> None:
        self._agent = agent
        self._services = services
        self._stopped = stopped
        self._path = holder_path(services.config.home, agent)
        self._joining: tuple[Command, Holder, str] | None = None

    async def join(self, session: Session, command: Command) -> bool:
        """Answer how the session is joined, or return True where the relay has to let go of it first."""
        holder = _read(command.text)
        self._joining = None
        if not isinstance(session, Attaches):
            await self._advance(command, CommandState.FAILED, "this agent has no terminal program that could join it")
        elif holder is None or not self._is_here(holder):
            await self._advance(command, CommandState.FAILED, "the process that wanted to join is gone")
        else:
            return await self._joined(session, command, holder)
        return False

    async def _joined(self, session: Attaches, command: Command, holder: Holder) -> bool:
        try:
            terminal = session.terminal()
            hands_over, told = terminal.hands_over, _told(terminal)
        except Exception as error:  # noqa: BLE001 - one agent's provider must not end the relay
            await self._fail(command, f"it cannot say which terminal program joins it: {error}")
            return False
        if hands_over:
            self._joining = (command, holder, told)
        else:
            await self._advance(command, CommandState.SUCCEEDED, told)
        return hands_over

    async def refuse(self, command: Command) -> None:
        """Answer that there is no session to join now."""
        try:
            holder = self._holder()
            has = f"process {holder.pid} has it in a terminal already" if holder else "its session is not open now"
        except ProviderError as error:
            has = str(error)
        await self._advance(command, CommandState.FAILED, has)

    async def hand_over(self) -> None:
        """Give the session to whoever asked: the relay has let go of it."""
        if self._joining is None:
            return
        command, holder, told = self._joining
        self._joining = None
        if not self._is_here(holder):
            await self._advance(command, CommandState.FAILED, "the process that wanted to join is gone")
            return
        try:
            self._write_down(holder)
        except OSError as error:
            await self._fail(command, f"it cannot be written down who has the session: {error}")
        else:
            await self._advance(command, CommandState.SUCCEEDED, told)

    def _write_down(self, holder: Holder) -> None:
        private_directory(self._path.parent)
        half = self._path.with_suffix(".new")
        half.touch(mode=0o600)
        half.write_text(json.dumps(asdict(holder)), encoding="utf-8")
        half.rename(self._path)

    async def held(self, epoch: int, session: str | None, otherwise: AutoResetEvent) -> bool:
        """Return whether a person has the session, after waiting for its end, or for someone who orders otherwise.

        Raises:
            ProviderError: That cannot be told. Two programs on one session would both write into it.
        """
        otherwise.clear()
        if (holder := self._holder()) is None:
            return False
        services = self._services
        detail = f"a person has its session in a terminal (process {holder.pid})"
        status = Status(kind=StatusKind.BUSY, reason="attached", detail=detail, since=services.clock.now())
        report = Report(agent=self._agent, epoch=epoch, status=status, pid=holder.pid, session=session)
        await self._insist(partial(services.mailbox.note, (), report))
        self._report(detail)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_set_at_exit, holder, otherwise, name=f"{self._agent}: attached")
            await otherwise.wait()
            tasks.cancel_scope.cancel()
        return True

    def _holder(self) -> Holder | None:
        """Return who has the session and still lives; what tells of another one goes. ProviderError as ``held``."""
        try:
            holder = _read(self._path.read_bytes())
            if holder is not None and self._is_here(holder):
                return holder
            self._path.unlink()
        except FileNotFoundError:
            pass
        except OSError as error:
            message = f"{self._path} says who has its session, and cannot be read ({error.strerror}): mend or remove it"
            raise ProviderError(Fault(whose=Whose.RELAY, code="attached", message=message)) from error
        return None

    def _is_here(self, holder: Holder) -> bool:
        return holder.boot == self._services.clock.boot_id() and holder.alive

    async def _fail(self, command: Command, why: str) -> None:
        self._report(why)
        await self._advance(command, CommandState.FAILED, why)

    async def _advance(self, command: Command, state: CommandState, result: str) -> None:
        await self._insist(partial(self._services.mailbox.advance, command.id, state, result))

    async def _insist(self, operation: Callable[[], Awaitable[None]]) -> None:
        """Use the mailbox, however long it cannot be used, unless the agent is stopped meanwhile."""
        await insist(unless(self._stopped, operation), self._services.clock, self._report)

    def _report(self, line: str) -> None:
        self._services.report(f"{self._agent}: {line}")


async def _set_at_exit(holder: Holder, ended: AutoResetEvent) -> None:
    if holder.alive:
        await wait_exit(holder.pid)
    ended.set()


def _told(terminal: Terminal) -> str:
    return json.dumps({"argv": terminal.argv, "cwd": str(terminal.cwd), "env": dict(terminal.env)})


def _read(text: str | bytes) -> Holder | None:
    try:
        return Holder(**json.loads(text))
    except (ValueError, TypeError):
        return None
