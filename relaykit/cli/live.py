"""The live view of a relay that runs in a terminal: its agents, and the permission requests that a key answers."""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from io import TextIOWrapper
from typing import TYPE_CHECKING

import anyio
from rich.console import Console, ConsoleDimensions, Group
from rich.live import Live
from rich.text import Text

from relaykit.builtin.wording import word
from relaykit.cli.aside import lines_aside
from relaykit.cli.choosing import Choosing
from relaykit.cli.keys import Keys, keys_at_once
from relaykit.cli.output import clock_time, reader_gone
from relaykit.cli.picture import Picture, Sheet, drawn
from relaykit.errors import RelaykitError, StoreError
from relaykit.model import Decision, Event, Outcome, TurnEnded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.model import DirectoryEntry, Gap, PermissionRequest
    from relaykit.relay import Relay

_NOTES = 5
_LOOK_SECONDS = 1.0
"""After which the view is drawn anew in any case: a queue grows without an event."""
_LEAST_SECONDS = 0.1
_SIZE = ConsoleDimensions(80, 24)
"""Of a terminal that does not say its own."""
_DECISIONS = {"a": Decision.APPROVE, "s": Decision.APPROVE_FOR_SESSION, "d": Decision.DENY}
_STEPS = dict.fromkeys(("\x1b[A", "\x1bOA", "k"), -1) | dict.fromkeys(("\x1b[B", "\x1bOB", "j"), 1)
_PAGE = (" ", "\x1b[6~")


class LiveView:
    """Shows one relay until its tasks are cancelled; what the relay says of itself is part of the picture."""

    def __init__(self) -> None:
        self._notes: deque[str] = deque(maxlen=_NOTES)
        self._lines: deque[str] = deque()
        """What others wrote; it belongs above the picture."""
        self._changed = anyio.Event()
        self._agents: Sequence[DirectoryEntry] = ()
        self._requests: Sequence[PermissionRequest] = ()
        self._choosing = Choosing()
        self._sheet: Sheet | None = None
        self._shown: str | None = None
        """The request that was chosen when the sheet was drawn: what a person means who presses a key."""
        self._size: ConsoleDimensions | None = None

    def note(self, line: str) -> None:
        """Show a line that the relay says; one that it says again and again is shown once."""
        if line not in list(self._notes)[-1:]:
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
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # no letter of an agent's is an error in a terminal without it
        live = Live(
            console=Console(file=sys.stdout, force_terminal=True, force_interactive=True),
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        with keys_at_once(sys.stdin.fileno()), lines_aside(self._lines), live:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._listen, relay, name="live view: events")
                tasks.start_soon(self._answer, relay, name="live view: keys")
                tasks.start_soon(self._notice_size, name="live view: size")
                try:
                    while True:
                        await self._draw(relay, live)
                        await self._until_changed()
                finally:
                    with anyio.CancelScope(shield=True), anyio.move_on_after(_LOOK_SECONDS):
                        await self._draw(relay, live)  # how all of it ended

    async def _until_changed(self) -> None:
        with anyio.move_on_after(_LOOK_SECONDS):
            await self._changed.wait()
        await anyio.sleep(_LEAST_SECONDS)
        self._changed = anyio.Event()

    async def _draw(self, relay: Relay, live: Live) -> None:
        await self._look(relay)
        size = _size()
        if size != self._size:
            self._fit(live, size)
        while self._lines:
            live.console.print(Text.from_ansi(self._lines.popleft()))
        self._sheet = drawn(self._picture(), *size)
        self._shown = self._choosing.chosen
        if self._sheet.page is not None and self._sheet.page.after == 0:
            self._choosing.seen = True
        live.update(Group(*self._sheet.lines), refresh=True)

    async def _look(self, relay: Relay) -> None:
        try:
            agents, requests = await relay.agents(), await relay.permissions()
        except StoreError as error:
            self.note(str(error))
        else:
            self._agents = [entry for entry in agents if entry.agent.id in relay.runs]
            self._requests = [one for one in requests if one.agent in relay.runs]
        self._choosing.look([one.id for one in self._requests], anyio.current_time())

    def _fit(self, live: Live, size: ConsoleDimensions) -> None:
        """Draw for that size from now on; what stands in a window of another one is no longer where it was."""
        if self._size is not None:
            live.console.clear()
            self._choosing.restart()
        self._size = live.console.size = size

    def _picture(self) -> Picture:
        choosing = self._choosing
        return Picture(
            agents=self._agents,
            requests=self._requests,
            chosen=choosing.chosen,
            ready=choosing.ready(anyio.current_time()),
            first=choosing.first,
            seen=choosing.seen,
            notes=tuple(self._notes),
        )

    async def _listen(self, relay: Relay) -> None:
        async with relay.subscribe() as events:
            async for item in events:
                self._note_failure(item)
                self._changed.set()

    def _note_failure(self, item: Event | Gap) -> None:
        if not isinstance(item, Event) or not isinstance(item.what, TurnEnded):
            return
        if item.what.outcome is not Outcome.COMPLETED and (wording := word(item)):
            self.note(f"{clock_time(item.at)} {item.agent}: {wording.text}")

    async def _notice_size(self) -> None:
        with anyio.open_signal_receiver(signal.SIGWINCH) as changes:
            async for _ in changes:
                self._changed.set()

    async def _answer(self, relay: Relay) -> None:
        descriptor, keys = sys.stdin.fileno(), Keys()
        while True:
            await anyio.wait_readable(descriptor)
            typed = os.read(descriptor, 64).decode("ascii", "replace")
            if not typed:
                return  # the terminal is gone; the relay ends by its signal
            for key in keys.read(typed):
                await self._press(relay, key)
            self._changed.set()

    async def _press(self, relay: Relay, key: str) -> None:
        if key in _STEPS:
            self._choosing.move(_STEPS[key])
        elif key in _PAGE:
            self._turn_page()
        elif key in _DECISIONS and self._requests:
            await self._decide(relay, _DECISIONS[key])

    def _turn_page(self) -> None:
        page = self._sheet.page if self._sheet else None
        if page is not None and self._is_shown():
            self._choosing.first = page.first + page.shown if page.after else 0

    def _is_shown(self) -> bool:
        """Whether the chosen request is what stands in the window."""
        return self._shown is not None and self._shown == self._choosing.chosen and _size() == self._size

    async def _decide(self, relay: Relay, decision: Decision) -> None:
        sheet, request = self._sheet, self._shown
        if sheet is None or request is None or not sheet.denies or not self._is_shown():
            self.note("nothing is decided: no request is chosen and shown")
        elif decision is not Decision.DENY and not sheet.approves:
            self.note(f"{request[:8]} is not approved: the rest of it was not shown yet")
        else:
            await self._decide_it(relay, request, decision)

    async def _decide_it(self, relay: Relay, request: str, decision: Decision) -> None:
        try:
            await relay.decide(request, decision)
        except RelaykitError as error:
            self.note(str(error))
        else:
            self._choosing.leave(request)


def _size() -> ConsoleDimensions:
    size = os.get_terminal_size(sys.stdin.fileno())
    return ConsoleDimensions(size.columns or _SIZE.width, size.lines or _SIZE.height)
