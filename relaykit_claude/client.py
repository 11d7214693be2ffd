"""The connection to a running claude: three tasks, and requests that are bounded in time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import MappingProxyType
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
from relaykit_claude.faults import agent_error
from relaykit_claude.protocol import Asked, Called, Connection, Failure, Response, Told, Withdrawn

if TYPE_CHECKING:
    from relaykit.plugin import Child
    from relaykit.plugin.fields import Fields
    from relaykit_claude.toolcalls import ToolCalls

Heard = Told | Asked | Withdrawn | Skipped
_GONE = (EndOfStream, ClosedResourceError, BrokenResourceError)
_EXIT_SECONDS = 2.0
_CLOSED = Fault(whose=Whose.RELAY, code="closed", message="the session is closed")


class Refused(Exception):  # noqa: N818 - claude said no: its callers decide whether that is an error
    """Claude did not do what was asked."""


class _Waiting(Struct):
    done: anyio.Event = field(default_factory=anyio.Event)
    answer: Response | Failure | None = None


class Client:
    """Speaks with one claude.

    What it says unasked is kept until someone attaches; then it is passed on from the reading task.
    """

    def __init__(self, child: Child, timeout: float) -> None:
        self.pid = child.pid
        self.over: Fault | None = None
        """How the process ended; None while it runs."""
        self.tool_calls: ToolCalls | None = None
        """Takes what claude says to the relay's tools, where it has them."""
        self._child = child
        self._early: list[Heard] = []
        self._tell: Callable[[Heard], None] = self._early.append
        self._ended: Callable[[Fault], None] = _ignore
        self._timeout = timeout
        self._connection = Connection()
        self._waiting: dict[str, _Waiting] = {}
        self._outbox = Channel[bytes]()
        self._writing = False
        self._last_words = LastWords()

    def attach(self, tell: Callable[[Heard], None], ended: Callable[[Fault], None]) -> None:
        """Pass on what was said so far and all that follows, and how it ended."""
        for message in self._early:
            tell(message)
        self._early.clear()
        self._tell, self._ended = tell, ended
        if self.over:
            ended(self.over)

    async def request(
        self,
        subtype: str,
        more: Fields = MappingProxyType({}),
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - a bound is part of what is asked
    ) -> Fields:
        """Ask, and return the answer.

        Raises:
            Refused: Claude said no.
            ProviderError: It did not answer in time, or is gone.
        """
        if self.over:
            raise ProviderError(self.over)
        name, line = self._connection.request(subtype, more)
        waiting = self._waiting[name] = _Waiting()
        seconds = self._timeout if timeout is None else timeout
        try:
            self._send(line)
            with anyio.move_on_after(seconds):
                await waiting.done.wait()
        finally:
            del self._waiting[name]
            self._connection.forget(name)
        return self._result(waiting, subtype, seconds)

    def say(self, words: str, submission: str, priority: str) -> None:
        """Send a person's message; ProviderError where the process is gone."""
        if self.over:
            raise ProviderError(self.over)
        self._send(self._connection.say(words, submission, priority))

    def answer(self, request: str, result: Fields) -> None:
        """Answer what claude asks."""
        self._send(self._connection.answer(request, result))

    def tell_result(self, call: str, result: Fields) -> None:
        """Answer a call of a tool; ProviderError where the process is gone, and takes no answer."""
        if self.over:
            raise ProviderError(self.over)
        self.answer(call, result)

    def refuse(self, request: str, message: str) -> None:
        """Refuse what claude asks."""
        self._send(self._connection.refuse(request, message))

    async def read(self) -> None:
        """Read until the process is gone, and tell it to whoever is attached or waits for an answer."""
        with suppress(*_GONE):
            await self._child.stdout.feed(self._receive)
        if self.tool_calls:
            self.tool_calls.give_up()  # at once: an answer that goes into a broken pipe would count as taken
        self.over = await self._death()
        for waiting in self._waiting.values():
            waiting.done.set()
        self._ended(self.over)

    async def write(self) -> None:
        """Send what the pipe did not take at once, for ever."""
        try:
            async for line in self._outbox:
                self._writing = True
                await self._child.stdin.send(line)
                self._writing = False
        except _GONE:
            return  # the reader sees the end and tells it

    async def listen(self) -> None:
        """Read what claude complains of, and keep the last of it."""
        await self._last_words.listen(self._child.stderr.receive)

    def close(self) -> None:
        """Let go of what was not sent; from now on every request fails."""
        self.over = self.over or _CLOSED
        self._outbox.close()

    def _send(self, line: bytes) -> None:
        """Write a line, at once where nothing is before it, so that no task has to be woken for it."""
        if not (self._writing or self._outbox):
            with suppress(*_GONE):  # the reader sees the end and tells it
                line = line[self._child.stdin.send_nowait(line) :]
        if line:
            self._outbox.send(line)

    def _receive(self, data: bytes) -> None:
        for message in self._connection.receive(data):
            self._take(message)

    def _take(self, message: Response | Failure | Called | Heard) -> None:
        if isinstance(message, Called):
            self._call(message)
        elif isinstance(message, Withdrawn) and self.tool_calls and self.tool_calls.withdraw(message.id):
            return
        elif not isinstance(message, Response | Failure):
            if self.tool_calls and isinstance(message, Told) and message.kind == "user":
                self.tool_calls.hear(message.data)
            self._tell(message)
        elif waiting := self._waiting.get(message.id):
            waiting.answer = message
            waiting.done.set()

    def _call(self, called: Called) -> None:
        if self.tool_calls:
            self.tool_calls.take(called)
        else:
            self.refuse(called.id, "this session has no tools of the relay's")

    def _result(self, waiting: _Waiting, subtype: str, seconds: float) -> Fields:
        match waiting.answer:
            case Response(result=result):
                return result
            case Failure(message=message):
                raise Refused(message)
            case _ if self.over:
                raise ProviderError(self.over)
            case _:
                raise agent_error("timeout", f"claude did not answer {subtype} within {seconds:g} seconds")

    async def _death(self) -> Fault:
        code: int | None = None
        with anyio.move_on_after(_EXIT_SECONDS):
            code = await self._child.wait()
        ended = "closed its output" if code is None else f"ended with exit code {code}"
        message = ": ".join([f"claude {ended}", *(await self._last_words.heard())[-1:]])
        return Fault(whose=Whose.PROCESS, code="died", message=without_keys(message))


def _ignore(_: Fault) -> None:
    """Nobody is attached yet; who waits for an answer is told."""
