"""A transcript file's lines, folded to turns and blocks. Without I/O: lines in, records out.

A turn begins with a person's message (or with what stands in its place) and lasts to the next one; that it is over
is said by the last answer's stop reason. A message that joined a running turn is no line of its own: its id stands
in an ``attachment`` or a ``queue-operation``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from relaykit.model import Block, BlockKind, Fault, Outcome, PastTurn
from relaykit.plugin.fields import Fields, number, rows, strings, table, text
from relaykit.plugin.jsonlines import Skipped, read_line
from relaykit_claude import blocks
from relaykit_claude.blocks import INTERRUPTED, SYNTHETIC, content_text
from relaykit_claude.faults import api_fault

_FINAL = frozenset({"end_turn", "stop_sequence", "max_tokens", "refusal"})
"""Stop reasons after which nothing more is asked of the model."""


class _Turn(Struct):
    id: str
    submissions: dict[str, None] = field(default_factory=dict)
    interrupted: bool = False
    over: bool = False
    fault: Fault | None = None
    text: str = ""
    worked: bool = False

    def past(self, *, last: bool) -> PastTurn:
        """Return it as history tells it; what has no end may still be running only where it is the last."""
        cut_off = None if last else Outcome.INTERRUPTED
        ended = Outcome.COMPLETED if self.over else cut_off
        failed = Outcome.FAILED if self.fault else ended
        return PastTurn(
            id=self.id,
            submissions=tuple(self.submissions),
            outcome=Outcome.INTERRUPTED if self.interrupted else failed,
            text=self.text,
            worked=self.worked,
            fault=self.fault,
        )


class Transcript:
    """What one file tells."""

    def __init__(self, conversation: str = "main") -> None:
        self._conversation = conversation
        self._turns: list[_Turn] = []
        self._blocks: list[Block] = []
        self._tools: dict[str, str] = {}
        self._said: Counter[str] = Counter()
        self.title = ""
        """How it began, or what it was called."""
        self.cwd = ""

    @property
    def turns(self) -> Sequence[PastTurn]:
        """Its turns, oldest first."""
        return [turn.past(last=turn is self._turns[-1]) for turn in self._turns]

    @property
    def blocks(self) -> Sequence[Block]:
        """Its blocks, in order."""
        return self._blocks

    def read(self, lines: Iterable[bytes]) -> Transcript:
        """Take in lines; what is unreadable, such as one that was being written, is passed over."""
        for raw in lines:
            line = read_line(raw) if raw.strip() else Skipped(reason="empty", size=0)
            if not isinstance(line, Skipped):
                self._take(line)
        return self

    def _take(self, line: Fields) -> None:
        self.cwd = text(line, "cwd") or self.cwd
        if line.get("isSidechain") is True and self._conversation == "main":
            return
        match text(line, "type"):
            case "user":
                self._user(line)
            case "assistant":
                self._assistant(line)
            case "system" if text(line, "subtype") == "compact_boundary":
                self._compacted(line)
            case "attachment":
                self._joined(text(line, "attachment", "source_uuid"), table(line, "attachment"))
            case "queue-operation":
                self._joined(text(line, "commandUuid"), {})
            case "custom-title" | "ai-title" | "summary":
                self.title = text(line, "customTitle") or text(line, "aiTitle") or text(line, "summary") or self.title

    def _user(self, line: Fields) -> None:
        words = content_text(table(line, "message").get("content"))
        results = [one for one in rows(line, "message", "content") if text(one, "type") == "tool_result"]
        sent = _was_sent(line)
        if words.startswith(INTERRUPTED) and not sent:
            self._last(text(line, "uuid")).interrupted = True
        elif results:
            self._results(line, results)
        elif (block := blocks.user_message(line, self._where(text(line, "uuid")), sent=sent)) is not None:
            self._message(block, strings(line, "mergedSendUuids"))

    def _message(self, block: Block, merged: Sequence[str]) -> None:
        begins = block.kind is BlockKind.USER_MESSAGE or block.name == "task notification"
        if begins and self._conversation == "main":
            turn = _Turn(block.id)
            self._turns.append(turn)
            if block.kind is BlockKind.USER_MESSAGE:
                turn.submissions |= dict.fromkeys((*merged, block.id))  # claude makes one message of all that waited
                self.title = self.title or block.text
        self._blocks.append(_in(block, self._last(block.id).id))

    def _results(self, line: Fields, results: Sequence[Fields]) -> None:
        turn = self._last(text(line, "uuid"))
        turn.worked = True
        extra = blocks.exit_code(line.get("toolUseResult"))
        for one in results:
            name = self._tools.get(text(one, "tool_use_id"), "")
            self._blocks.append(blocks.result(one, name, extra, self._where(turn.id)))

    def _assistant(self, line: Fields) -> None:
        turn, message = self._last(text(line, "uuid")), text(line, "message", "id")
        if text(line, "message", "model") == SYNTHETIC:
            return self._made_up(turn, line)
        turn.worked, turn.fault = True, None
        turn.over = text(line, "message", "stop_reason") in _FINAL
        for content in rows(line, "message", "content"):
            index = number(line, "apiBlockIndex")
            block = blocks.said(content, message, self._said[message] if index is None else index, self._where(turn.id))
            self._said[message] += 1
            self._note(turn, block, cut=line.get("isAbortedMidStream") is True)
        return None

    def _made_up(self, turn: _Turn, line: Fields) -> None:
        if line.get("isApiErrorMessage") is True:
            words = content_text(table(line, "message").get("content"))
            turn.fault = api_fault("api_error", number(line, "apiErrorStatus"), words)

    def _note(self, turn: _Turn, block: Block, *, cut: bool) -> None:
        if block.kind is BlockKind.TOOL_USE:
            self._tools[block.id] = block.name
        if block.kind is BlockKind.ASSISTANT_TEXT:
            turn.text = block.text
        self._blocks.append(_in(block, block.turn, "cut off") if cut else block)

    def _compacted(self, line: Fields) -> None:
        self._blocks.append(blocks.compaction(line, self._where(self._last(text(line, "uuid")).id)))

    def _joined(self, name: str, attachment: Fields) -> None:
        if not name or not self._turns:
            return
        self._turns[-1].submissions[name] = None
        if words := text(attachment, "prompt"):
            where, sent = self._where(self._turns[-1].id), text(attachment, "commandMode") == "prompt"
            block = blocks.user_message({"uuid": name, "message": {"content": words}}, where, sent=sent)
            self._blocks += [block] if block is not None else []

    def _last(self, name: str) -> _Turn:
        if not self._turns:
            self._turns.append(_Turn(name))
        return self._turns[-1]

    def _where(self, turn: str) -> Block:
        return Block(id="", kind=BlockKind.SYSTEM, turn=turn, conversation=self._conversation)


def _was_sent(line: Fields) -> bool:
    """Whether claude says that someone sent the line; older ones do not, and there the words have to tell."""
    return text(line, "promptSource") not in ("", "system") and line.get("isMeta") is not True


def _in(block: Block, turn: str | None, status: str = "") -> Block:
    return replace(block, turn=turn, data={**block.data, "status": status} if status else block.data)
