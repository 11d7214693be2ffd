"""The connection to a running app-server: three tasks, and requests that are bounded in time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
from anyio import BrokenResourceError, ClosedResourceError, EndOfStream
from msgspec import Struct, field

from relaykit.errors import ProviderError
from relaykit.model import Fault, Whose
from relaykit.plugin import Channel
from relaykit.plugin.jsonlines import Skipped
from relaykit.plugin.lastwords import LastWords
from relaykit.plugin.words import without_keys
from relaykit_codex.faults import agent_error, refusal
from relaykit_codex.protocol import Connection, Failure, Notification, Response, ServerRequest

if TYPE_CHECKING:
    from relaykit.plugin.fields import Fields
    from relaykit_codex.link import Link

Told = Notification | ServerRequest | Skipped
_GONE = (EndOfStream, ClosedResourceError, BrokenResourceError)
_BACKTRACE = "Stack backtrace:"
_EXIT_SECONDS = 2.0
LOST = "connection_lost"
"""The code of the fault where codex runs on, and what runs in it, too."""
_CLOSED = Fault(whose=Whose.RELAY, code="closed", message="the session is closed")


class Refused(Exception):  # noqa: N818 - codex said no: its callers decide whether that is an error
    """Codex did not do what was asked."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.message)


class _Waiting(Struct):
    taken: Callable[[Fields], None] | None
    done: anyio.Event = field(default_factory=anyio.Event)
    answer: Response | Failure | None = None


class Client:
    """Speaks with one app-server.

    What it says unasked is kept in ``early`` until someone attaches; then it is passed on from the reading task.
    """

    def __init__(self, link: Link, timeout: float) -> None:
        self.pid = link.pid
        self.early: list[Told] = []
        self.over: Fault | None = None
        """How the process ended; None while it runs."""
        self._link = link
        self._tell: Callable[[Told], None] = self.early.append
        self._ended: Callable[[Fault], None] = _ignore
        self._timeout = timeout
        self._connection = Connection()
        self._waiting: dict[int, _Waiting] = {}
        self._outbox = Channel[bytes]()
        self._last_words = LastWords()

    def attach(self, tell: Callable[[Told], None], ended: Callable[[Fault], None]) -> None:
        """Pass on what was said so far and all that follows, and how it ended."""
        for message in self.early:
            tell(message)
        self.early.clear()
        self._tell, self._ended = tell, ended
        if self.over:
            ended(self.over)

    async def request(
        self,
        method: str,
        params: Fields,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - a bound is part of what is asked
        taken: Callable[[Fields], None] | None = None,
    ) -> Fields:
        """Ask, and return the result.

        Args:
            method: What is asked for.
            params: Its parameters.
            timeout: Seconds to wait for the answer; None is the client's own bound.
            taken: Called with the result before anything that codex says after it is told.

        Raises:
            Refused: Codex said no.
            ProviderError: It did not answer in time, or is gone.
        """
        if self.over:
            raise ProviderError(self.over)
        number, line = self._connection.request(method, params)
        waiting = self._waiting[number] = _Waiting(taken)
        seconds = self._timeout if timeout is None else timeout
        try:
            self._outbox.send(line)
            with anyio.move_on_after(seconds):
                await waiting.done.wait()
        finally:
            del self._waiting[number]
        return self._result(waiting, method, seconds)

    async def ask(self, method: str, params: Fields, *, taken: Callable[[Fields], None] | None = None) -> Fields:
        """Ask, and return the result; a refusal is a ProviderError, too."""
        try:
            return await self.request(method, params, taken=taken)
        except Refused as refused:
            raise refusal(refused.failure) from None

    def notify(self, method: str) -> None:
        """Tell the server something."""
        self._outbox.send(self._connection.notify(method))

    def answer(self, request: int | str, result: Fields) -> None:
        """Answer a request of the server's."""
        self._outbox.send(self._connection.answer(request, result))

    def refuse(self, request: int | str, message: str) -> None:
        """Refuse a request of the server's."""
        self._outbox.send(self._connection.refuse(request, message))

    async def read(self) -> None:
        """Read until the process is gone, and tell it to whoever is attached or waits for an answer."""
        with suppress(*_GONE):
            await self._link.feed(self._receive)
        self.over = await self._death()
        for waiting in self._waiting.values():
            waiting.done.set()
        self._ended(self.over)

    async def write(self) -> None:
        """Send what there is to send, for ever."""
        try:
            async for line in self._outbox:
                await self._link.send(line)
        except _GONE:
            return  # the reader sees the end and tells it

    async def listen(self) -> None:
        """Read what codex complains of, and keep the last of it."""
        await self._last_words.listen(self._link.complaint)

    def close(self) -> None:
        """Let go of what was not sent; from now on every request fails."""
        self.over = self.over or _CLOSED
        self._outbox.close()

    def _receive(self, data: bytes) -> None:
        for message in self._connection.receive(data):
            self._take(message)

    def _take(self, message: Response | Failure | Told) -> None:
        if not isinstance(message, Response | Failure):
            self._tell(message)
        elif waiting := self._waiting.get(message.id):
            waiting.answer = message
            if waiting.taken and isinstance(message, Response):
                waiting.taken(message.result)
            waiting.done.set()

    def _result(self, waiting: _Waiting, method: str, seconds: float) -> Fields:
        match waiting.answer:
            case Response(result=result):
                return result
            case Failure() as failure:
                raise Refused(failure)
            case _ if self.over:
                raise ProviderError(self.over)
            case _:
                raise agent_error("timeout", f"codex did not answer {method} within {seconds:g} seconds")

    async def _death(self) -> Fault:
        code, dead = None, False
        with anyio.move_on_after(_EXIT_SECONDS):
            code = await self._link.wait()
            dead = True
        if self._link.outlives and not dead:
            return Fault(whose=Whose.PROCESS, code=LOST, message="the connection to codex was lost; codex runs on")
        ended = "closed its output" if code is None else f"ended with exit code {code}"
        ended = "ended" if dead and code is None else ended
        message = ": ".join([f"codex {ended}", *_before_the_addresses(await self._last_words.heard())[-1:]])
        return Fault(whose=Whose.PROCESS, code="died", message=without_keys(message))


def _before_the_addresses(lines: list[str]) -> list[str]:
    """Return the lines that stand before the backtrace where codex crashed, else all."""
    return lines[: lines.index(_BACKTRACE)] if _BACKTRACE in lines else lines


def _ignore(_: Fault) -> None:
    """Nobody is attached yet; who waits for an answer is told."""
