"""The blocks of one session that are being written: their deltas' numbers, and the text so far."""

from __future__ import annotations

from io import StringIO

from msgspec import Struct, field

from relaykit.model import BlockDelta, BlockEnded, BlockStarted, Event, TurnEnded


class _Open(Struct, eq=False):
    number: int
    turn: str | None = None
    started: Event | None = None
    part: int = 0
    at: float = 0.0
    text: StringIO = field(default_factory=StringIO)


class OpenBlocks:
    """Stamps deltas, and knows the text that was published of every block that has no end yet."""

    def __init__(self, agent: str, session: str, last_number: int) -> None:
        self._agent = agent
        self._session = session
        self._number = last_number
        self._open: dict[str, _Open] = {}
        self._unsaved: dict[str, StringIO] = {}

    @property
    def unsaved(self) -> bool:
        """Whether text came since ``partials`` was last called."""
        return bool(self._unsaved)

    def delta(self, at: float, what: BlockDelta) -> Event:
        """Add to a block's text, and return the numbered delta."""
        block = self._open.get(what.block)
        if block is None:
            # Its provider announced no start, so it stands behind what came last.
            block = self._open[what.block] = _Open(self._number)
        block.part += 1
        block.at = at
        block.text.write(what.text)
        self._unsaved[what.block] = block.text
        return self._event(block, what)

    def durable(self, event: Event) -> None:
        """Follow a durable event that is published now."""
        self._number = event.number
        match event.what:
            case BlockStarted(block=block):
                self._open[block.id] = _Open(event.number, block.turn, event)
            case BlockEnded(block=block):
                self._open.pop(block.id, None)
                self._unsaved.pop(block.id, None)
            case TurnEnded(turn=turn):
                self._cut_off(turn)

    def partials(self) -> list[tuple[str, str, str]]:
        """Return session, block and text so far of the blocks that grew since the last call."""
        grown = [(self._session, block, text.getvalue()) for block, text in self._unsaved.items()]
        self._unsaved.clear()
        return grown

    def snapshot(self) -> list[Event]:
        """Return the start of every open block, followed by all its text as one delta."""
        return [event for block, state in self._open.items() for event in self._so_far(block, state)]

    def _so_far(self, block: str, state: _Open) -> list[Event]:
        start = [state.started] if state.started else []
        text = BlockDelta(block=block, text=state.text.getvalue())
        return [*start, self._event(state, text)] if state.part else start

    def _event(self, block: _Open, what: BlockDelta) -> Event:
        return Event(
            agent=self._agent, session=self._session, number=block.number, part=block.part, at=block.at, what=what
        )

    def _cut_off(self, turn: str) -> None:
        """Forget what the turn left unfinished: nobody will say that it ended. Its text is still saved."""
        for block in [block for block, state in self._open.items() if state.turn == turn or state.started is None]:
            del self._open[block]
