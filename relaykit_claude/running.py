"""The turn that runs: what it has said and done so far."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from relaykit.model import (
    Block,
    BlockDelta,
    BlockEnded,
    BlockKind,
    BlockStarted,
    Fault,
    Occurrence,
    Origin,
    Outcome,
    TurnEnded,
)
from relaykit.plugin.fields import Fields, table
from relaykit.plugin.words import capped


class _Open(Struct):
    """A block whose end has not come."""

    block: Block
    parts: list[str] = field(default_factory=list)

    def so_far(self, status: str) -> Block:
        words = capped("".join(self.parts)) or self.block.text
        return replace(self.block, text=words, data={**self.block.data, "status": status})

    @property
    def in_background(self) -> bool:
        return self.block.kind is BlockKind.SUBAGENT and self.block.data.get("background") is True


class RunningTurn:
    """A turn from its start to its end."""

    def __init__(self, turn: str, origin: Origin) -> None:
        self.id = turn
        self.origin = origin
        self.submissions: dict[str, None] = {}
        self.tools: dict[str, str] = {}
        """Names of the tools that were used, by the id of the use."""
        self.inputs: dict[str, Fields] = {}
        """What those tools were given: a question does not repeat all of it."""
        self._open: dict[str, _Open] = {}
        self._text = ""
        """The last whole text of the main conversation."""

    def begin(self, block: Block) -> list[Occurrence]:
        """Return what it means that a block begins."""
        if block.id in self._open:
            return []
        self._open[block.id] = _Open(block)
        return [BlockStarted(block=block)]

    def wrote(self, block: str, more: str) -> list[Occurrence]:
        """Return what more text of a block means."""
        part = self._open.get(block)
        if part is None or not more:
            return []
        part.parts.append(more)
        return [BlockDelta(block=block, text=more)]

    def end_block(self, block: Block) -> list[Occurrence]:
        """Return what it means that a block is complete."""
        self._open.pop(block.id, None)
        if block.kind is BlockKind.TOOL_USE:
            self.tools[block.id] = block.name
            self.inputs[block.id] = table(block.data, "input")
        if block.kind is BlockKind.ASSISTANT_TEXT and block.conversation == "main":
            self._text = block.text
        return [BlockEnded(block=block)]

    def cut(self, conversation: str | None = None) -> list[Occurrence]:
        """End what was being written in a conversation, or in all: it begins anew and nobody finishes this.

        A subagent goes on until claude says that it has ended.
        """
        names = [
            name
            for name, part in self._open.items()
            if conversation is None
            or (part.block.conversation == conversation and part.block.kind is not BlockKind.SUBAGENT)
        ]
        return self._end_blocks(names, "cut off")

    def end(
        self, outcome: Outcome, fault: Fault | None = None, *, text: str = "", by: str = "provider"
    ) -> list[Occurrence]:
        """Return what the end of the turn means: every block is closed first.

        That of a subagent which goes on in the background is told once more when that has ended.
        """
        going_on = [name for name, part in self._open.items() if part.in_background and by == "provider"]
        closed = [*self._end_blocks(going_on, "goes on"), *self.cut()]
        well = outcome is Outcome.COMPLETED
        over = TurnEnded(
            turn=self.id,
            outcome=outcome,
            submissions=tuple(self.submissions),
            text=(text or self._text) if well else self._text,
            fault=fault,
            by=by,
        )
        return [*closed, over]

    def _end_blocks(self, names: list[str], status: str) -> list[Occurrence]:
        return [what for name in names for what in self.end_block(self._open[name].so_far(status))]
