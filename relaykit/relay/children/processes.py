"""Starts programs that die with the relay (Linux 5.3 or later), and such as do not.

For the former three things see to it: end of input and a process group while the relay lives, a parent-death signal through
a small launcher when it is killed, and a record by which the next relay finds what that signal did not reach.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from relaykit.errors import ProviderError
from relaykit.model import Fault, Whose, new_id
from relaykit.relay.children import orphans
from relaykit.relay.children.detached import Detached
from relaykit.relay.children.launching import PIPES, Launcher, Program
from relaykit.relay.children.orphans import MARK, ChildRecord, end_marked, write_record
from relaykit.relay.children.pipes import PipeReader, PipeWriter
from relaykit.relay.children.proc import living_members, process_stat, wait_exit
from relaykit.relay.directories import private_directory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

_OUTPUT_BYTES = 2**20
"""What the output of a program that outlives its relays may have grown to when the next one finds it."""


class RelayChild:
    """A process that dies with the relay: the ``Child`` of the plugin contract."""

    def __init__(self, popen: subprocess.Popen[bytes], mark: str) -> None:
        if popen.stdin is None or popen.stdout is None or popen.stderr is None:
            raise ValueError("a child is started with three pipes")
        self._popen = popen
        self._mark = mark
        self.stdin = PipeWriter(popen.stdin)
        self.stdout = PipeReader(popen.stdout)
        self.stderr = PipeReader(popen.stderr)

    @property
    def pid(self) -> int:
        """Its process id, and that of its process group."""
        return self._popen.pid

    async def wait(self) -> int:
        """Return its exit code, negative for a signal."""
        if self._popen.returncode is None:
            await wait_exit(self.pid)
        return self._code()

    def signal(self, number: int) -> None:
        """Send a signal to its process group; one that is gone is no error."""
        # A child is waited for in _reap() alone: until then its number is nobody else's.
        if self._popen.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    async def end(self, grace: float) -> bool:
        """End its input, ask its group to end, end it; False where it still does not go.

        Takes no longer than three times ``grace`` and seven seconds.
        """
        before = process_stat(self.pid)
        await self.stdin.aclose()
        if not await self._ends_within(grace):
            self.signal(signal.SIGTERM)
            await self._ends_within(grace)
        # Whatever the child did, nothing of its group is left behind.
        self.signal(signal.SIGKILL)
        await self._ends_within(grace + 1)
        ended = await self._reap()
        # One that went by itself, and well, may have left something elsewhere on purpose.
        if self._popen.returncode != 0 or (before is not None and before.alive):
            await end_marked(self._mark)
        return ended

    async def _ends_within(self, seconds: float) -> bool:
        with anyio.move_on_after(seconds, shield=True):
            await self.wait()
            return True
        return False

    async def _reap(self) -> bool:
        for pipe in (self.stdout, self.stderr):
            await pipe.aclose()
        ended = self._popen.poll() is not None
        if not ended or not _group_exists(self.pid):
            return ended
        with anyio.move_on_after(1, shield=True):
            for member in living_members(self.pid):
                await wait_exit(member.pid)
            return True
        return False

    def _code(self) -> int:
        if self._popen.returncode is not None:
            return self._popen.returncode
        # Looks without waiting for it: the zombie keeps the group's number from others until _reap().
        state = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        if state is None:
            raise RuntimeError(f"process {self.pid} is dead and has no exit code")
        return state.si_status if state.si_code == os.CLD_EXITED else -state.si_status


def _group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _nothing() -> None:
    pass


class RelayProcesses:
    """Starts programs that die with the relay: the ``Processes`` of the plugin contract.

    Args:
        directory: Where children are written down; ``end_orphans`` of the same directory finds them.
        boot: The machine's boot id.
        meanwhile: Called while a child starts, which takes a while.
    """

    def __init__(self, directory: Path, boot: str, meanwhile: Callable[[], object] = _nothing) -> None:
        self._directory = directory
        self._boot = boot
        self._meanwhile = meanwhile
        self._spare: Launcher | None = None

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Start the launcher of the next program, as the contract says. Called in the thread of the event loop."""
        with suppress(OSError):  # a launch that finds no room either says so
            self._spare = self._spare or Launcher.start()
        try:
            yield
        finally:
            if (spare := self._take_spare()) is not None:
                spare.abandon()

    @asynccontextmanager
    async def launch(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        grace: float = 2.0,
    ) -> AsyncIterator[RelayChild]:
        """Start a program, as the contract says. Called in the thread of the event loop."""
        program, mark = _marked(argv, cwd, env)
        launcher = self._take_spare() or _start(program)
        record = self._record(launcher, mark, argv[0])[1]
        child = RelayChild(launcher.popen, mark)
        try:
            await launcher.become(program, self._meanwhile)
            yield child
        finally:
            if await child.end(grace):
                record.unlink(missing_ok=True)

    async def detached(
        self,
        key: str,
        argv: Sequence[str],
        *,
        output: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Detached:
        """Find a program that outlives the relay, or start it, as the contract says."""
        for record in orphans.detached(self._directory, self._boot):
            process = Detached(self._directory, record, found=True)
            if record.key == key and record.alive:
                _cut(output)
                return process
            await process.end()
        program, mark = _marked(argv, cwd, env)
        launcher = _start_alone(program, output)
        record, _ = self._record(launcher, mark, argv[0], key)
        # It is waited for by its pid alone: the object would complain at its end of a child that still runs.
        launcher.popen.returncode = 0
        process = Detached(self._directory, record, found=False)
        try:
            await launcher.become(program, self._meanwhile)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await process.end(grace=0)
            raise
        return process

    def _take_spare(self) -> Launcher | None:
        spare, self._spare = self._spare, None
        return spare

    def _record(self, launcher: Launcher, mark: str, program: str, key: str = "") -> tuple[ChildRecord, Path]:
        pid = launcher.popen.pid
        stat = process_stat(pid)
        start = 0 if stat is None else stat.start
        record = ChildRecord(pid=pid, start=start, boot=self._boot, mark=mark, program=program, key=key)
        try:
            private_directory(self._directory)
            return record, write_record(self._directory, record)
        except OSError as exc:
            launcher.abandon()
            raise _not_started("cannot_record", f"{program} was not started: {exc.strerror}: {exc.filename}") from exc


def _marked(argv: Sequence[str], cwd: Path | None, env: Mapping[str, str] | None) -> tuple[Program, str]:
    """Return the program, and the mark in its environment; raise before anything is started."""
    mark = new_id()
    environment = {**(os.environ if env is None else env), MARK: mark}
    if any("\0" in word for word in argv):
        raise _not_started("bad_argument", f"an argument of {argv[0]!r} holds a NUL character")
    for name, value in environment.items():
        if "\0" in name + value or "=" in name:
            raise _not_started(
                "bad_argument",
                f"{argv[0]}: the environment variable {name!r} cannot be set: "
                "no NUL may be in it, and no = in its name",
            )
    return Program(path=_path(argv[0], cwd, environment), argv=argv, cwd=cwd, env=environment), mark


def _path(program: str, cwd: Path | None, env: Mapping[str, str]) -> str:
    if cwd is not None and not cwd.is_dir():
        raise _not_started("missing_directory", f"{cwd} is not a directory; create it or set another cwd")
    name = os.path.expanduser(program)  # noqa: PTH111 - "./x" must keep its dot
    path = str((cwd or Path.cwd()) / name) if os.sep in name else shutil.which(name, path=env.get("PATH", os.defpath))
    if path is None or not os.path.exists(path):  # noqa: PTH110 - a plain string, one call
        raise _not_started("missing_binary", f"{program} is not found; install it, or give its whole path")
    if os.path.isdir(path) or not os.access(path, os.X_OK):  # noqa: PTH112 - as above
        raise _not_started("not_executable", f"{path} is not a program that may be run; chmod +x it")
    return path


def _start_alone(program: Program, output: Path) -> Launcher:
    """Start a launcher whose program has nothing to read, and a file for what it writes."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC  # to append is to go on where it is cut
    try:
        descriptor = os.open(output, flags, 0o600)
    except OSError as exc:
        raise _not_started("cannot_start", f"{program.argv[0]} was not started: {exc.strerror}: {output}") from exc
    try:
        return _start(program, (subprocess.DEVNULL, descriptor, descriptor), lasting=True)
    finally:
        os.close(descriptor)


def _start(program: Program, files: tuple[int, int, int] = PIPES, *, lasting: bool = False) -> Launcher:
    try:
        return Launcher.start(files, lasting=lasting)
    except OSError as exc:
        raise _not_started("cannot_start", f"{program.argv[0]} was not started: {exc.strerror}") from exc


def _cut(output: Path) -> None:
    """Empty the file of a program that has written a lot and goes on writing."""
    with suppress(FileNotFoundError):  # who removed it has no use for it
        if output.stat().st_size > _OUTPUT_BYTES:
            os.truncate(output, 0)


def _not_started(code: str, message: str) -> ProviderError:
    return ProviderError(Fault(whose=Whose.AGENT, code=code, message=message))
