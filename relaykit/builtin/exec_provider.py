"""The provider ``exec``: any command as an agent. Text in, text out, one run of the command for each turn."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from msgspec import Struct, field

from relaykit.builtin.exec_turn import GRACE, ExecTurn, TurnLimits
from relaykit.errors import ProviderError
from relaykit.model import Capabilities, Fault, Mode, Occurrence, Whose, new_id, without_credentials
from relaykit.plugin import Channel

if TYPE_CHECKING:
    from relaykit.plugin import Clock, Context, Processes, Provider, SessionRequest

PLACEHOLDER = "{text}"
_ARGUMENT_BYTES = 128 * 1024 - 1
"""What Linux takes as one argument."""


class ExecOptions(Struct, frozen=True, kw_only=True):
    """The command, and how it is told the text."""

    command: Sequence[str]
    input: str = "stdin"
    timeout: float | None = None
    max_output: int = 2**20
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def limits(self) -> TurnLimits:
        """What one run may take."""
        return TurnLimits(timeout=self.timeout, max_output=self.max_output)


class Command(Struct, frozen=True, kw_only=True):
    """The command of one session."""

    words: Sequence[str]
    as_argument: bool
    cwd: Path
    env: Mapping[str, str]

    def argv(self, text: str) -> list[str]:
        """Return the words to run; where the text is an argument, with it in its place or at the end."""
        if not self.as_argument:
            return list(self.words)
        text = text.encode(errors="replace").decode()
        if not any(PLACEHOLDER in word for word in self.words):
            return [*self.words, text]
        return [word.replace(PLACEHOLDER, text) for word in self.words]

    def stdin(self, text: str) -> bytes:
        """Return what it reads."""
        return b"" if self.as_argument else text.encode(errors="replace")

    def check(self) -> None:
        """Raise ProviderError where there is no such program."""
        name = self.words[0]
        path = str(self.cwd / name) if os.sep in name else name
        if shutil.which(path, path=self.env.get("PATH", os.defpath)) is None:
            message = f"{name} is not found or may not be run; install it, or give its whole path"
            raise _error(Whose.AGENT, "missing_binary", message)

    def check_text(self, text: str) -> None:
        """Raise ProviderError where no process can be given the text."""
        if not self.as_argument:
            return
        if "\0" in text:
            raise _error(Whose.MESSAGE, "nul", "a text with a NUL character cannot be an argument")
        if any(len(word.encode()) > _ARGUMENT_BYTES for word in self.argv(text)):
            message = f"an argument has at most {_ARGUMENT_BYTES} bytes; set the option input to 'stdin'"
            raise _error(Whose.MESSAGE, "too_large", message)


class ExecSession:
    """Turns without a memory: what the command keeps, it keeps itself."""

    def __init__(self, command: Command, options: ExecOptions, processes: Processes, clock: Clock) -> None:
        self.id = f"exec-{new_id()}"
        self.pid: int | None = None
        self._command = command
        self._options = options
        self._processes = processes
        self._clock = clock
        self._turn: ExecTurn | None = None
        self._todo = Channel[tuple[str, str]]()
        self.events = Channel[Occurrence]()

    async def submit(self, text: str, submission_id: str, mode: Mode) -> None:  # noqa: ARG002 - it never joins
        """Take a text; it waits for the runs before it."""
        await anyio.lowlevel.checkpoint()
        self._command.check_text(text)
        try:
            self._todo.send((text, submission_id))
        except anyio.ClosedResourceError as exc:
            raise _error(Whose.RELAY, "closed", "the session is closed") from exc

    async def interrupt(self) -> None:
        """End the running command, with what it wrote so far."""
        await anyio.lowlevel.checkpoint()
        if self._turn is not None:
            self._turn.stop()

    async def run(self) -> None:
        """Run the command for one text after the other, until cancelled or until one run is killed by another."""
        with self._todo, self.events:
            async for text, submission in self._todo:
                program = Path(self._command.words[0]).name
                self._turn = ExecTurn(program, submission, self.events.send, self._options.limits, self._clock)
                died = await self._run(self._turn, text)
                self._turn = self.pid = None
                if died is not None:
                    return

    async def _run(self, turn: ExecTurn, text: str) -> Fault | None:
        command = self._command
        try:
            async with self._processes.launch(
                command.argv(text), cwd=command.cwd, env=command.env, grace=GRACE
            ) as child:
                self.pid = child.pid
                turn.begin()
                return await turn.attend(child, command.stdin(text))
        except ProviderError as error:
            turn.begin()
            turn.fail(error.fault)
            return None


class ExecProvider:
    """Opens sessions with a command."""

    capabilities = Capabilities(interrupt=True, streaming=True)

    def __init__(self, options: ExecOptions, context: Context) -> None:
        self._options = options
        self._context = context

    @asynccontextmanager
    async def session(self, request: SessionRequest) -> AsyncIterator[ExecSession]:
        """Open a session; ProviderError where the program is missing, or an old session is asked for."""
        if request.resume is not None:
            message = f"exec keeps no sessions, so {request.resume!r} cannot go on; start a new one"
            raise _error(Whose.AGENT, "no_session", message)
        command = self._command(request)
        command.check()
        session = ExecSession(command, self._options, self._context.processes, self._context.clock)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.run, name=f"runs of {request.agent}")
            yield session
            tasks.cancel_scope.cancel()

    def _command(self, request: SessionRequest) -> Command:
        return Command(
            words=(*self._options.command, *request.arguments),
            as_argument=self._options.input == "argument",
            cwd=request.cwd,
            env={**without_credentials(os.environ), **self._options.env, **request.env},
        )


@asynccontextmanager
async def open_exec(options: Mapping[str, Any], context: Context) -> AsyncIterator[Provider]:
    """Open the provider."""
    yield ExecProvider(ExecOptions(**options), context)


def _error(whose: Whose, code: str, message: str) -> ProviderError:
    return ProviderError(Fault(whose=whose, code=code, message=message))
