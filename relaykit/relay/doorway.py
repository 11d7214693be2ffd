"""Where the processes of sessions reach the relay, and what its sessions hear from there."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from relaykit.model import Occurrence
    from relaykit.plugin import Endpoint

Hear = Callable[["Occurrence"], None]
Write = Callable[[], Awaitable[None]]
Answer = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
_EARLY = 100
"""How much of what was told before anyone listened is kept."""


class Hearing:
    """Where reports of a session go: kept while it is only now opening, then to its worker."""

    def __init__(self) -> None:
        self._early: deque[Occurrence] = deque(maxlen=_EARLY)
        self._hear: Hear | None = None
        self._write: Write | None = None
        self.answer: Answer | None = None
        """Returns what a hook is told, however long that takes; None where the session tells hooks nothing (yet)."""

    def tell(self, what: Occurrence) -> None:
        """Take one thing in; never waits."""
        if self._hear is None:
            self._early.append(what)
        else:
            self._hear(what)

    async def caught_up(self) -> None:
        """Return once the mailbox knows what the worker knows: whoever asks from inside a turn must find it begun."""
        if self._write is not None:
            await self._write()

    def attach(self, hear: Hear, write: Write, answer: Answer | None) -> None:
        """Pass on what came and what comes to a worker, whose notes ``write`` writes."""
        self._hear, self._write, self.answer = hear, write, answer
        while self._early:
            hear(self._early.popleft())


class Doorway(Protocol):
    """An edge that is open, for one relay."""

    def admit(
        self, agent: str, hearing: Hearing, lasting: Path | None = None, *, piped: bool = False
    ) -> AbstractAsyncContextManager[Endpoint]:
        """Let one session's processes in, under a token of their own, for as long as the context is open.

        Args:
            agent: As whom they act.
            hearing: Takes what they report of the session.
            lasting: Where to keep the token and the port of processes that outlive the relay, for the next one.
            piped: They do not come at once: their tools are called over their own pipe.
        """
        ...

    async def run(self) -> None:
        """Serve for ever; who comes before that waits."""
