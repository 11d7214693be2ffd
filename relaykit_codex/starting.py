"""Starts codex, or finds the one that runs on; in one CODEX_HOME one start after another."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from relaykit.model import new_id
from relaykit_codex.hooks import hook_arguments
from relaykit_codex.launch import arguments, environment, find_codex, home_of, key, socket_path
from relaykit_codex.link import DetachedServer, StdioLink, connected
from relaykit_codex.options import SOCKET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from relaykit.plugin import Context, DetachedProcess, SessionRequest
    from relaykit_codex.link import Link
    from relaykit_codex.options import Options

_PATIENCE_SECONDS = 10.0
"""After this a start no longer waits for another one: that one hangs."""
_LOOK_SECONDS = 0.02
_FOUND_SECONDS = 10.0
"""How long an app-server that ran already may take to let us in."""

Begun = Callable[[], None]
"""Says that codex is up, so that others may start."""


class Starting:
    """Starts the app-servers of one agent, one for each session."""

    def __init__(self, options: Options, context: Context) -> None:
        self._options = options
        self._context = context
        self._found: DetachedProcess | None = None
        self.socket: Path | None = None
        """Where the last one listens; None where it does not."""
        self.codex_home: str | None = None
        """The CODEX_HOME that the last one was started with."""

    @asynccontextmanager
    async def link(self, request: SessionRequest) -> AsyncIterator[tuple[Link, Begun]]:
        """Yield the way to an app-server, and what is to be called once it has answered."""
        options = self._options
        home = home_of(options, self._context.home, request)
        env = environment(request, home, signed_in=options.credential is not None)
        self.codex_home = env.get("CODEX_HOME")
        self.socket = socket_path(self._context.home, self._name()) if options.connect == SOCKET else None
        more = (*hook_arguments(request.profile), *request.arguments)
        argv = arguments(find_codex(options.command), *more, socket=self.socket)
        way = self._detached if options.detached else self._piped if self.socket is None else self._beside
        async with one_at_a_time(env) as begun, way(request, argv, env) as link:
            yield link, begun

    def _name(self) -> str:
        """Return the name of the socket: always the same where it is to be found again."""
        return "codex" if self._options.detached else f"codex-{new_id()[:8]}"

    async def end_found(self) -> bool:
        """End the detached app-server that ran already, if the last session was opened with one."""
        found, self._found = self._found, None
        if found is None:
            return False
        await found.end()
        return True

    @asynccontextmanager
    async def _piped(self, request: SessionRequest, argv: Sequence[str], env: Mapping[str, str]) -> AsyncIterator[Link]:
        async with self._context.processes.launch(argv, cwd=request.cwd, env=env) as child:
            yield StdioLink(child)

    @asynccontextmanager
    async def _beside(
        self, request: SessionRequest, argv: Sequence[str], env: Mapping[str, str]
    ) -> AsyncIterator[Link]:
        async with self._context.processes.launch(argv, cwd=request.cwd, env=env) as child:
            try:
                async with connected(StdioLink(child), self._path(), self._options.request_timeout) as link:
                    yield link
            finally:
                child.signal(signal.SIGTERM)  # the end of its input means nothing to one that listens
                self._path().unlink(missing_ok=True)

    @asynccontextmanager
    async def _detached(
        self, request: SessionRequest, argv: Sequence[str], env: Mapping[str, str]
    ) -> AsyncIterator[Link]:
        options, output = self._options, self._context.home / "codex.log"
        known = key(argv, home_of(options, self._context.home, request), options, request)
        process = await self._context.processes.detached(known, argv, output=output, cwd=request.cwd, env=env)
        self._found = process if process.found else None
        patience = min(_FOUND_SECONDS, options.request_timeout) if process.found else options.request_timeout
        async with connected(DetachedServer(process, output), self._path(), patience) as link:
            yield link

    def _path(self) -> Path:
        return self.socket or Path()


@asynccontextmanager
async def one_at_a_time(environment: Mapping[str, str]) -> AsyncIterator[Callable[[], None]]:
    """Hold other starts in the CODEX_HOME back until what this yields is called, or the context ends.

    Where two make the databases of a new home at the same moment, one codex fails.
    """
    home = environment.get("CODEX_HOME") or Path.home() / ".codex"
    with ExitStack() as held:
        with suppress(OSError):  # there is no such directory yet, or it cannot be locked: then as without a lock
            place = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            held.callback(os.close, place)
            await _locked(place)
        yield held.close


async def _locked(place: int) -> None:
    with anyio.move_on_after(_PATIENCE_SECONDS):
        while True:
            try:
                fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await anyio.sleep(_LOOK_SECONDS)
            else:
                return
