"""What the core lends to a component while it is open."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from relaykit.model import Limits

if TYPE_CHECKING:
    from relaykit.model import Accepted, Command, CommandKind, Draft, Secret
    from relaykit.plugin.attachments import AttachmentStore
    from relaykit.plugin.credentials import CredentialStore
    from relaykit.plugin.router import Router


class Clock(Protocol):
    """Time, so that tests can make it."""

    def now(self) -> float:
        """Wall-clock seconds: for display and expiry only, it may jump."""
        ...

    def boot(self) -> float:
        """Seconds since the machine started; the same for every process of it, never going back."""
        ...

    def boot_id(self) -> str:
        """The machine's boot: ``boot()`` of another boot means nothing."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds of ``boot()``."""


class Input(Protocol):
    """What a process reads: one of anyio's byte streams, and a quicker way to write a little."""

    async def send(self, item: bytes) -> None:
        """Return once all of it is in the pipe; anyio's BrokenResourceError where the process no longer reads."""
        ...

    def send_nowait(self, item: bytes) -> int:
        """Write what the pipe takes at once; return how many bytes those were. Raises as ``send`` does."""
        ...

    async def aclose(self) -> None:
        """End it."""
        ...


class Output(Protocol):
    """What a process writes: one of anyio's byte streams, and a quicker way to read all of it."""

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Return what is there, waiting for something; anyio's EndOfStream when it is closed."""
        ...

    async def feed(self, take: Callable[[bytes], None]) -> None:
        """Call a function with each piece as it comes; return when the process has closed it.

        The function must not wait. What it raises is raised here.
        """

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return what gives one piece after the other."""
        ...


class Child(Protocol):
    """A process that dies with the relay."""

    @property
    def pid(self) -> int:
        """Its process id; it leads a process group of its own."""
        ...

    @property
    def stdin(self) -> Input:
        """What it reads; closing it is the end of its input."""
        ...

    @property
    def stdout(self) -> Output:
        """What it writes."""
        ...

    @property
    def stderr(self) -> Output:
        """What it complains of. Someone has to read it."""
        ...

    async def wait(self) -> int:
        """Return its exit code, negative for a signal."""
        ...

    def signal(self, number: int) -> None:
        """Send a signal to its process group; one that is gone is no error."""


class DetachedProcess(Protocol):
    """A process that outlives the relay, which lets go of it or finds it again. It has no pipes."""

    @property
    def pid(self) -> int:
        """Its process id; it leads a session and a process group of its own."""
        ...

    @property
    def found(self) -> bool:
        """Whether it ran already."""
        ...

    async def wait(self) -> int | None:
        """Return once it is dead: its exit code, negative for a signal, None where another relay started it."""
        ...

    async def end(self, grace: float = 2.0) -> None:
        """End it and what it left behind: SIGTERM, ``grace`` seconds, SIGKILL to all of it."""


class Processes(Protocol):
    """Starts programs that die with the relay, and such as are to outlive it."""

    def ahead(self) -> AbstractContextManager[None]:
        """Begin with the next ``launch`` now, before it is known which program that will be.

        A launch takes some milliseconds until the program itself starts; a provider that is about to launch one, and
        has something to import or to write first, saves them. Leaving the context undoes it where nothing was launched.
        """
        ...

    def launch(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        grace: float = 2.0,
    ) -> AbstractAsyncContextManager[Child]:
        """Start a program in a process group of its own.

        It is written down, so that it is found and ended should the relay be killed. Leaving the context ends
        it: end of input, ``grace`` seconds, SIGTERM, ``grace`` seconds, SIGKILL to the whole group.

        Args:
            argv: The program and its arguments. Never a secret: argv is there for all to see.
            cwd: Where it runs.
            env: Its whole environment; None is the relay's own.
            grace: Seconds between the steps of ending it.

        Raises:
            ProviderError: It could not be started; the fault is the agent's and names the program.
        """
        ...

    async def detached(
        self,
        key: str,
        argv: Sequence[str],
        *,
        output: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> DetachedProcess:
        """Find the detached process of that key, or start it; one of another key is ended first.

        It is written down as detached: the next relay finds it by pid and start time and does not take it for an
        orphan. The core ends it when the agent is stopped, killed or restarted by order; what is wrong with it is for
        the caller to find out, who then ends it. Only for sessions that announce ``capabilities.detached``.

        Args:
            key: Stands for all that it was started for: what is wanted otherwise has another key.
            argv: The program and its arguments. Never a secret.
            output: The file for what it writes and complains of, 0600; begun anew when it is started, and where it
                has grown to more than 1 MiB when it is found.
            cwd: Where it runs.
            env: Its whole environment; None is the relay's own.

        Raises:
            ProviderError: It could not be started, or the former one does not end.
        """
        ...


class Intake(Protocol):
    """The way into the mailbox, for transports."""

    async def put(self, draft: Draft, *, synced: bool = True) -> Accepted:
        """Store a message; the other side may be told once this has returned.

        Raises:
            RefusedError: It was not accepted; tell the other side, and do not acknowledge.
            StoreError: It could not be stored now; do not acknowledge, try again.
        """
        ...

    async def order(self, agent: str, kind: CommandKind, *, text: str = "", sender: str, id: str) -> Command:
        """Store a command, of someone beyond the transport whom its options trust; the same id again is the first.

        Raises:
            NotFoundError: There is no such agent here.
            ConflictError: The id was used before for another command.
            StoreError: It could not be stored now; do not acknowledge, try again.
        """
        ...


class Credentials(Protocol):
    """The configured credential store."""

    async def get(self, name: str) -> Secret:
        """Return the secret of that name; CredentialError where there is none."""
        ...

    @property
    def store(self) -> CredentialStore:
        """The store itself, which may do more: ask with ``isinstance``. CredentialError before it is open."""
        ...


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"relaykit: {line}\n")


class Context(Struct, frozen=True, kw_only=True):
    """What the core lends to a component while it is open."""

    name: str
    """The use that the configuration makes of it, such as ``agents.reviewer``; begins every error message."""
    home: Path
    """A directory of its own for what it must keep, 0700."""
    clock: Clock
    processes: Processes
    intake: Intake
    credentials: Credentials
    attachments: AttachmentStore | None = None
    """The contents of files that messages name; None where none is lent."""
    routers: Sequence[Router] = ()
    """For mailboxes: who is asked whom an address means, in this order."""
    limits: Limits = field(default_factory=Limits)
    """For mailboxes: over these a put is refused."""
    report: Callable[[str], None] = _to_stderr
    """Takes one line for the person who runs the relay: a trouble that nothing else would tell. Never a secret."""
