"""The relay's side of the launcher: a process that is there already, and waits to be told which program it becomes."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from msgspec import Struct

from relaykit.errors import ProviderError
from relaykit.model import Fault, Whose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LAUNCHER = str(Path(__file__).with_name("launcher.py"))
PIPES = (subprocess.PIPE, subprocess.PIPE, subprocess.PIPE)
_NOT_FOR_HERE = (errno.ENOEXEC, errno.ENOENT)
"""What the kernel says of a program of another machine, or whose interpreter is not there."""


class Program(Struct, frozen=True, kw_only=True):
    """What a launcher becomes."""

    path: str
    argv: Sequence[str]
    cwd: Path | None
    env: Mapping[str, str]

    def told(self) -> bytes:
        """Return it as the launcher reads it."""
        variables = (f"{name}={value}" for name, value in self.env.items())
        fields = [str(len(self.argv)), self.path, "" if self.cwd is None else str(self.cwd), *self.argv, *variables]
        return b"".join(os.fsencode(field) + b"\0" for field in (str(len(fields)), *fields))


class Launcher:
    """A process in a group of its own that becomes a program; until then it dies with the relay, whatever it is for."""

    def __init__(self, popen: subprocess.Popen[bytes], gate: socket.socket) -> None:
        self.popen = popen
        self._gate = gate

    @classmethod
    def start(cls, files: tuple[int, int, int] = PIPES, *, lasting: bool = False) -> Launcher:
        """Start one; it takes some milliseconds until it listens. Called in the thread of the event loop.

        The parent-death signal fires when the thread that started it ends: never in a worker thread.

        Args:
            files: Its standard input, output and error, as ``Popen`` has them.
            lasting: The program is to outlive the relay.

        Raises:
            OSError: There is no room for another process.
        """
        gate, inner = socket.socketpair()
        parent = "0" if lasting else str(os.getpid())
        try:
            with inner:
                popen = subprocess.Popen(
                    [sys.executable, "-I", "-S", _LAUNCHER, parent, str(inner.fileno())],
                    bufsize=0,
                    stdin=files[0],
                    stdout=files[1],
                    stderr=files[2],
                    pass_fds=(inner.fileno(),),
                    start_new_session=True,
                )
        except BaseException:
            gate.close()
            raise
        gate.setblocking(False)
        return cls(popen, gate)

    async def become(self, program: Program, meanwhile: Callable[[], object]) -> None:
        """Tell it which program to become, and return once it has; ``meanwhile`` is called while it does.

        Raises:
            ProviderError: The program cannot be run.
        """
        with self._gate as gate:
            await self._tell(program.told())
            meanwhile()
            await anyio.wait_readable(gate)
            answer = b""
            with suppress(OSError):
                answer = gate.recv(64)
        if answer:
            number, _, step = answer.decode().partition(" ")
            raise _not_started(program, int(number), step)

    def abandon(self) -> None:
        """End it, who has become nothing."""
        self._gate.close()
        self.popen.kill()
        self.popen.communicate()

    async def _tell(self, rest: bytes) -> None:
        view = memoryview(rest)
        with suppress(OSError):  # it is dead already: its exit says why
            while view:
                try:
                    view = view[self._gate.send(view) :]
                except BlockingIOError:
                    await anyio.wait_writable(self._gate)
            self._gate.shutdown(socket.SHUT_WR)


def _not_started(program: Program, number: int, step: str) -> ProviderError:
    name, reason = program.argv[0], os.strerror(number)
    if step == "directory":
        code, message = "cannot_start", f"{name} was not started: {reason}: {program.cwd}"
    else:
        hint = "; is it a program for this machine?" if number in _NOT_FOR_HERE else ""
        code, message = "not_executable", f"{name} cannot be run: {reason}{hint}"
    return ProviderError(Fault(whose=Whose.AGENT, code=code, message=message))
