"""The live view of a relay that runs in a terminal: its agents, and the permission requests that a key answers."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import anyio
from rich.console import Console
from rich.live import Live

from relaykit.cli.output import reader_gone
from relaykit.cli.picture import Picture, drawn
from relaykit.errors import RelaykitError, StoreError
from relaykit.model import Decision

if TYPE_CHECKING:
    from rich.console import RenderableType

    from relaykit.model import PermissionRequest
    from relaykit.relay import Relay

_NOTES = 5
_LOOK_SECONDS = 1.0
"""After which the view is drawn anew in any case: a queue grows without an event."""
_LEAST_SECONDS = 0.1
_DECISIONS = {"a": Decision.APPROVE, "s": Decision.APPROVE_FOR_SESSION, "d": Decision.DENY}
_UP, _DOWN = ("\x1b[A", "\x1bOA", "k"), ("\x1b[B", "\x1bOB", "j")


class LiveView:
    """Shows one relay until its tasks are cancelled; what the relay says of itself is part of the picture."""

    def __init__(self) -> None:
        self._notes: deque[str] = deque(maxlen=_NOTES)
        self._changed = anyio.Event()
        self._requests: list[PermissionRequest] = []
        self._chosen = 0

    def note(self, line: str) -> None:
        """Show a line that the relay says."""
        self._notes.append(line)
        self._changed.set()

    async def run(self, relay: Relay) -> None:
        """Show and answer for ever, or until the terminal is gone; of that the relay learns by its signal."""
        try:
            await self._show(relay)
        except* OSError:
            self.note("the terminal is gone")
            reader_gone()

    async def _show(self, relay: Relay) -> None:
        console = Console(file=sys.stdout)
        with (
            _keys_at_once(sys.stdin.fileno()),
            Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live,
        ):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._listen, relay, name="live view: events")
                tasks.start_soon(self._answer, relay, name="live view: keys")
                try:
                    while True:
                        live.update(await self._picture(relay), refresh=True)
                        await self._until_changed()
                finally:
                    with anyio.CancelScope(shield=True), anyio.move_on_after(_LOOK_SECONDS):
                        live.update(await self._picture(relay), refresh=True)  # how all of it ended

    async def _until_changed(self) -> None:
        with anyio.move_on_after(_LOOK_SECONDS):
            await self._changed.wait()
        await anyio.sleep(_LEAST_SECONDS)
        self._changed = anyio.Event()

    async def _picture(self, relay: Relay) -> RenderableType:
        agents = []
        try:
            agents = [entry for entry in await relay.agents() if entry.agent.id in relay.runs]
            self._requests = [one for one in await relay.permissions() if one.agent in relay.runs]
        except StoreError as error:
            self._notes.append(str(error))
        self._chosen = max(0, min(self._chosen, len(self._requests) - 1))
        return drawn(Picture(agents=agents, requests=self._requests, chosen=self._chosen, notes=tuple(self._notes)))

    async def _listen(self, relay: Relay) -> None:
        async with relay.subscribe() as events:
            async for _ in events:
                self._changed.set()

    async def _answer(self, relay: Relay) -> None:
        descriptor = sys.stdin.fileno()
        while True:
            await anyio.wait_readable(descriptor)
            keys = os.read(descriptor, 64).decode("ascii", "replace")
            if not keys:
                return  # the terminal is gone; the relay ends by its signal
            await self._press(relay, keys)
            self._changed.set()

    async def _press(self, relay: Relay, keys: str) -> None:
        if keys in _UP or keys in _DOWN:
            self._chosen += 1 if keys in _DOWN else -1
        elif keys in _DECISIONS and self._requests:
            await self._decide(relay, self._requests[self._chosen], _DECISIONS[keys])

    async def _decide(self, relay: Relay, request: PermissionRequest, decision: Decision) -> None:
        try:
            await relay.decide(request.id, decision)
        except RelaykitError as error:
            self.note(str(error))


@contextmanager
def _keys_at_once(descriptor: int) -> Iterator[None]:
    """Have keys come without Enter, and not shown; Ctrl-C stays a signal."""
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor, termios.TCSANOW)
    try:
        yield
    finally:
        with suppress(termios.error):  # it may be gone
            termios.tcsetattr(descriptor, termios.TCSANOW, before)
