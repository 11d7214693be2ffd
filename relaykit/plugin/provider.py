"""Providers: adapters to one kind of coding agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from msgspec import Struct, field

from relaykit.model import Approval, shown_without
from relaykit.plugin.tooluses import ToolUses

if TYPE_CHECKING:
    from relaykit.model import (
        Capabilities,
        Decision,
        Mode,
        Occurrence,
        PastSession,
        PastTurn,
        Profile,
        Reply,
        Secret,
    )


Tools = Callable[[Mapping[str, Any]], AbstractAsyncContextManager[Mapping[str, Any] | None]]
"""Takes one message of JSON-RPC and opens a context with what is answered to it, None to a notification."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """Where the processes of one session reach the relay: its HTTP edge, on loopback, or by the pipe that they have."""

    url: str
    """Without a path: the tools are at ``/mcp``, what a provider's hooks report goes to ``/hooks/NAME``."""
    token: Secret
    """This session's own bearer token; by environment or in a file of mode 0600, never in argv."""
    tools: Tools
    """What ``/mcp`` does, for a program that speaks the Model Context Protocol over its own pipe. The answer is handed over
    inside the context; where that fails, or is cancelled, nobody got it. Such a provider says
    ``Capabilities.piped_tools``."""
    uses: ToolUses = field(default_factory=ToolUses)
    """What the provider tells of the uses of the tools, where its program speaks HTTP and says which answers it took."""


class SessionRequest(Struct, frozen=True, kw_only=True):
    """What a session is to be opened for."""

    agent: str
    cwd: Path
    resume: str | None = None
    """The id of a session to go on with; a provider that cannot find it raises ProviderError."""
    approval: Approval = Approval.ASK
    instructions: str = ""
    """What the agent's profile and the agent itself add to the provider's own system prompt."""
    profile: Profile | None = None
    """What else the session is to be like; what becomes of each of its items is what the component's ``projects``
    says. Its environment, its files and its addresses are seen to by the relay."""
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    """What the credentials that the profile names hold, by their names."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of the provider's processes: ``RELAYKIT_HOME``, ``RELAYKIT_AGENT``, the profile's."""
    arguments: tuple[str, ...] = ()
    """The words after ``--``, for the provider's program."""
    endpoint: Endpoint | None = None
    """Where the session finds the relay's tools; None where the relay does not listen."""
    attachments: Path | None = None
    """Where the files are put that its messages name, by their absolute paths: it may read all that is there."""

    def __repr__(self) -> str:
        return shown_without(self, "env")


class Occurrences(Protocol):
    """What a session tells, for one reader: a ``Channel``, or the receiving end of one of anyio's memory streams."""

    async def receive(self) -> Occurrence:
        """Return the next occurrence; anyio's EndOfStream once the session is over."""
        ...

    def receive_nowait(self) -> Occurrence:
        """Return the next occurrence; anyio's WouldBlock where there is none yet."""
        ...


class Session(Protocol):
    """One conversation with a provider.

    Obligations beyond the signatures:

    * ``events`` is one channel for the whole life of the session, fed by a task of the provider's that never
      waits for its reader. It ends only when the session is over: a process that dies ends its running turn
      with ``TurnEnded(by="process")`` first, where it can, and then the channel.
    * Every submission that was taken is named by exactly one ``TurnEnded``, unless it was withdrawn or the process
      dies first.
    * A turn is over only with ``TurnEnded``, and that comes by the provider's word. Never guess.
    """

    @property
    def id(self) -> str:
        """The provider's own id of the conversation; ``resume`` takes it."""
        ...

    @property
    def pid(self) -> int | None:
        """The process that runs it; None where there is none between turns."""
        ...

    @property
    def events(self) -> Occurrences:
        """What happens, in order."""
        ...

    async def submit(self, text: str, submission_id: str, mode: Mode) -> None:
        """Hand over text; return when the provider took it, never waiting for its turn.

        Args:
            text: What the agent is told.
            submission_id: The core's id, new for every attempt. Turn events name it.
            mode: ``own`` or ``join``; ``join`` only comes where ``capabilities.join`` says so. With no turn
                running a ``join`` becomes a turn of its own.

        Raises:
            ProviderError: It was not taken, and whose fault that is.
        """

    async def interrupt(self) -> None:
        """Ask the running turn to end, if there is one. Its ``TurnEnded`` still comes; the session stays usable."""


@runtime_checkable
class AnswersPermissions(Protocol):
    """A session that asks; announced by ``capabilities.permissions``."""

    async def decide(self, key: str, decision: Decision, reason: str = "") -> None:
        """Answer the question of that key. One that is no longer open is passed over."""


@runtime_checkable
class TakesReplies(Protocol):
    """A session whose questions have choices, or whose input may be changed; announced by ``capabilities.replies``."""

    async def reply(self, key: str, reply: Reply, *, session: bool = False) -> None:
        """Approve the question of that key with answers or another input, and with ``session`` the like of it.

        One that is no longer open is passed over.
        """


@runtime_checkable
class AnswersHooks(Protocol):
    """A session whose program asks through its hooks: whether a tool may run, or what there is for it to do."""

    async def hook(self, name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what a hook is told: JSON, empty where that is nothing.

        It may wait, in a task of the hook's own, which is cancelled when the program no longer waits and when the relay
        stops. A hook that comes while the session is only now opening is told nothing. Each is a ``ProviderNote`` as
        well, whatever it is told.

        Args:
            name: What the program put behind ``/hooks/``.
            data: The whole JSON object that it sent.

        Raises:
            ProviderError: This hook is not to be answered; the program gets its text with the HTTP status 409.
        """
        ...


@runtime_checkable
class Withdraws(Protocol):
    """A session that lets go of what it took and has not begun with; announced by ``capabilities.withdraw``."""

    async def withdraw(self, submission_id: str) -> bool:
        """Take a submission back; return whether that was in time. No turn names it then."""
        ...


@runtime_checkable
class ChangesModel(Protocol):
    """A session that goes on with another model; announced by ``capabilities.set_model``.

    The agent's later sessions are told the same, before anything else, until it is restarted by order.
    """

    async def set_model(self, model: str) -> None:
        """Use another model from the next step on; ProviderError where it does not."""


@runtime_checkable
class ChangesPermissionMode(Protocol):
    """A session that goes on in another permission mode; announced by ``capabilities.set_permission_mode``.

    The agent's later sessions are told the same, before anything else, until it is restarted by order.
    """

    async def set_permission_mode(self, mode: str) -> None:
        """Ask as that mode of the provider's own has it; ProviderError where there is none or it asks for nothing."""


@runtime_checkable
class ReadsHistory(Protocol):
    """A session that can tell what became of turns; announced by ``capabilities.history``."""

    async def history(self, session: str) -> Sequence[PastTurn] | None:
        """Return the turns of a session of this provider, oldest first.

        Args:
            session: The id of the session asked about; it need not be this one.

        Returns:
            The turns, or None where that session cannot be read.
        """
        ...


@runtime_checkable
class ListsSessions(Protocol):
    """A session that knows the provider's other conversations; announced by ``capabilities.sessions``."""

    async def past_sessions(self, *, limit: int = 50) -> Sequence[PastSession]:
        """Return conversations that can be gone on with, the latest first."""
        ...


@runtime_checkable
class Compacts(Protocol):
    """A session whose context can be made smaller; announced by ``capabilities.compact``."""

    async def compact(self) -> None:
        """Have the provider summarise what was said; return when it is done or raise ProviderError."""


class Terminal(Struct, frozen=True, kw_only=True):
    """How a person joins a session in a terminal."""

    argv: tuple[str, ...]
    """The interactive program, its whole path first. Never a secret."""
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the person's own environment. Never a secret."""
    hands_over: bool = True
    """Whether the relay has to let go of the session first, and takes it back when the program has ended."""


@runtime_checkable
class Attaches(Protocol):
    """A session that a person can join in the agent's own terminal program."""

    def terminal(self) -> Terminal:
        """Return how it is joined now; the session is ready and no turn is needed for it."""
        ...


class Provider(Protocol):
    """An adapter to one kind of coding agent, opened for one agent."""

    @property
    def capabilities(self) -> Capabilities:
        """What its sessions can do."""
        ...

    def session(self, request: SessionRequest) -> AbstractAsyncContextManager[Session]:
        """Open a session, or go on with an old one.

        Entering returns when it is ready to take text, and raises ProviderError, in one line with the remedy,
        where it cannot be; leaving ends its processes. One session of a provider is open at a time.
        """
        ...
