"""The turn that runs: what it has said and done so far."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from relaykit.model import Block, BlockDelta, BlockEnded, BlockKind, BlockStarted, Fault, Occurrence, Outcome, TurnEnded
from relaykit.plugin.fields import Fields, text
from relaykit.plugin.words import OUTPUT_LIMIT, capped
from relaykit_codex.items import COMPACTION, result_id, tool_result, tool_use, whole, written

_RESULT = result_id("")


class _Open(Struct):
    """A block whose end has not come."""

    block: Block
    told: bool
    """Whether its start was told."""
    parts: list[str] = field(default_factory=list)
    size: int = 0

    def so_far(self) -> Block:
        return replace(self.block, text=capped("".join(self.parts)), data={**self.block.data, "status": "cut off"})


class RunningTurn:
    """A turn from its start to its end."""

    def __init__(self, turn: str, *, rejoined: bool = False) -> None:
        self.id = turn
        self._rejoined = rejoined
        """Whether it began before anybody listened, so that starts may be missing and ends come twice."""
        self._ended: set[str] = set()
        self.submissions: dict[str, None] = {}
        self._kinds: set[str] = set()
        """Of the items that were told of."""
        self.items: dict[str, Fields] = {}
        """Tools by item id: an approval names the item alone."""
        self._open: dict[str, _Open] = {}
        self._final = ""
        """The last whole text that is not marked as a comment on the way."""
        self._whole = ""
        """The last whole text."""
        self._last = ""
        """The last text there is, whole or not."""

    @property
    def compacts(self) -> bool:
        """Whether it is nothing but a compaction, as far as is known: one that is cut off at once has no item at all."""
        return not self.submissions and self._kinds <= {COMPACTION}

    @property
    def unfinished(self) -> frozenset[str]:
        """Its tools that have no result yet, by item."""
        return frozenset(item for item in self.items if result_id(item) in self._open)

    def subject(self, params: Fields) -> Fields:
        """Return the tool's item that a request is about; one for an MCP server names the server alone."""
        if item := self.items.get(text(params, "itemId")):
            return item
        server = text(params, "serverName")
        calls = [self.items[item] for item in self.unfinished if server and text(self.items[item], "server") == server]
        return calls[0] if len(calls) == 1 else {}

    def began(self, item: Fields) -> list[Occurrence]:
        """Return what the start of an item means."""
        self._kinds.add(text(item, "type"))
        if (block := written(item, self.id)) is not None:
            return [*self.cut_text(), *self._begin(replace(block, text=""))]
        if (block := tool_use(item, self.id)) is None:
            return []
        self.items[block.id] = item
        result = Block(id=result_id(block.id), kind=BlockKind.TOOL_RESULT, turn=self.id, name=block.name)
        self._open[result.id] = _Open(result, told=False)
        return [BlockEnded(block=block)]

    def wrote(self, block: str, more: str) -> list[Occurrence]:
        """Return what more text of a block means; output beyond the limit is not passed on."""
        part = self._open.get(block) or self._missed(block)
        if part is None or not more or (part.block.kind is BlockKind.TOOL_RESULT and part.size > OUTPUT_LIMIT):
            return []
        part.parts.append(more)
        part.size += len(more)
        delta = BlockDelta(block=block, text=more)
        if part.told:
            return [delta]
        part.told = True
        return [BlockStarted(block=part.block), delta]

    def ended(self, item: Fields) -> list[Occurrence]:
        """Return what the end of an item means."""
        if self._rejoined and text(item, "id") in self._ended:
            return []
        self._ended.add(text(item, "id"))
        self._kinds.add(text(item, "type"))
        if (block := written(item, self.id)) is not None:
            self._note_text(block)
            return [self._end(block)]
        if (use := tool_use(item, self.id)) is None:
            return [BlockEnded(block=whole(item, self.id))]
        before: list[Occurrence] = [] if use.id in self.items else [BlockEnded(block=use)]
        shown = self._open.get(result_id(use.id))
        return [*before, self._end(tool_result(item, self.id, "".join(shown.parts) if shown else ""))]

    def cut_text(self) -> list[Occurrence]:
        """End the texts that were being written: the model has begun anew and will not finish them."""
        return self._close([name for name, part in self._open.items() if part.block.kind is not BlockKind.TOOL_RESULT])

    def end(self, outcome: Outcome, fault: Fault | None, by: str = "provider") -> list[Occurrence]:
        """Return what the end of the turn means: every block is closed first."""
        closed = self._close(list(self._open))
        well = outcome is Outcome.COMPLETED
        over = TurnEnded(
            turn=self.id,
            outcome=outcome,
            submissions=tuple(self.submissions),
            text=(self._final or self._whole) if well else self._last,
            fault=fault,
            by=by,
        )
        return [*closed, over]

    def _missed(self, block: str) -> _Open | None:
        """Open a text whose start nobody heard; its end tells all of it."""
        if not self._rejoined or block in self._ended or block.endswith(_RESULT):
            return None
        shown = Block(id=block, kind=BlockKind.ASSISTANT_TEXT, turn=self.id)
        self._open[block] = _Open(shown, told=False)
        return self._open[block]

    def _begin(self, block: Block) -> list[Occurrence]:
        self._open[block.id] = _Open(block, told=True)
        return [BlockStarted(block=block)]

    def _end(self, block: Block) -> Occurrence:
        self._open.pop(block.id, None)
        return BlockEnded(block=block)

    def _close(self, names: list[str]) -> list[Occurrence]:
        blocks = [self._open.pop(name).so_far() for name in names]
        for block in blocks:
            if block.kind is BlockKind.ASSISTANT_TEXT and block.text:
                self._last = block.text
        return [BlockEnded(block=block) for block in blocks]

    def _note_text(self, block: Block) -> None:
        if block.kind is BlockKind.ASSISTANT_TEXT:
            self._last = self._whole = block.text
            if block.data.get("phase") != "commentary":
                self._final = block.text
