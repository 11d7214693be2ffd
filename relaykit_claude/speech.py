"""What is said in a turn, told as blocks: by the model, its tools and its subagents, whole or bit by bit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from relaykit.model import Block, BlockEnded, BlockKind, Occurrence
from relaykit.plugin.fields import Fields, number, rows, table, text
from relaykit_claude import blocks
from relaykit_claude.blocks import COMMAND, WRITTEN, content_text

if TYPE_CHECKING:
    from relaykit_claude.running import RunningTurn

_DELTAS = {"text_delta": "text", "thinking_delta": "thinking"}


class Speech:
    """Where each conversation of a session is: the main one, and those of its subagents."""

    def __init__(self) -> None:
        self._agents: dict[str, Block] = {}
        """The subagents at work, by the use of the tool that began them."""
        self._message: dict[str, str] = {}
        """The message that is being streamed, by conversation."""
        self._index: dict[str, int | None] = {}
        """The place in that message that is being written."""
        self._said: Counter[str] = Counter()
        """How many parts of each message were told whole."""

    def turn_over(self) -> None:
        """Forget what was being written."""
        self._message.clear()
        self._index.clear()
        self._said.clear()

    def assistant(self, turn: RunningTurn, data: Fields) -> list[Occurrence]:
        """Return what a whole part of a message means."""
        where, message = self._where(turn, data), text(data, "message", "id")
        told: list[Occurrence] = []
        for content in rows(data, "message", "content"):
            index = self._place(where.conversation, message)
            block = blocks.said(content, message, index, where)
            if data.get("aborted") is True:
                block = _marked(block, "cut off")
            told += turn.end_block(block)
        return told

    def user(self, turn: RunningTurn, data: Fields) -> list[Occurrence]:
        """Return what a tool's result means, or what someone said."""
        where = self._where(turn, data)
        results = [one for one in rows(data, "message", "content") if text(one, "type") == "tool_result"]
        extra = blocks.exit_code(data.get("tool_use_result"))
        told: list[Occurrence] = []
        for one in results:
            name = turn.tools.get(text(one, "tool_use_id"), "")
            told += turn.end_block(blocks.result(one, name, extra, where))
        sent = text(data, "uuid") in turn.submissions and not _is_command(data)
        if not results and (block := blocks.user_message(data, where, sent=sent)) is not None:
            told.append(BlockEnded(block=block))
        return told

    def stream(self, turn: RunningTurn, data: Fields) -> list[Occurrence]:
        """Return what a bit of a message means."""
        where, event = self._where(turn, data), table(data, "event")
        match text(event, "type"):
            case "message_start":
                self._message[where.conversation] = text(event, "message", "id")
                return turn.cut(where.conversation)
            case "content_block_start":
                return self._begin(turn, where, event)
            case "content_block_delta":
                return self._delta(turn, where, event)
            case "content_block_stop":
                self._index[where.conversation] = None
        return []

    def agent_began(self, turn: RunningTurn, data: Fields) -> list[Occurrence]:
        """Return what the begin of a subagent means."""
        if text(data, "task_type") != "local_agent":
            return []
        block = Block(
            id=text(data, "task_id"),
            kind=BlockKind.SUBAGENT,
            turn=turn.id,
            name=text(data, "subagent_type") or "subagent",
            text=text(data, "description"),
            data={"use": text(data, "tool_use_id"), "background": data.get("is_backgrounded") is True},
        )
        self._agents[text(data, "tool_use_id")] = block
        return turn.begin(block)

    def agent_ended(self, turn: RunningTurn | None, data: Fields) -> list[Occurrence]:
        """Return what the end of a subagent means, which may come after its turn's."""
        block = self._agents.get(text(data, "tool_use_id"))
        if block is None or text(data, "task_id") != block.id:
            return []
        del self._agents[text(data, "tool_use_id")]
        ended = _marked(block, text(data, "status") or "ended")
        return turn.end_block(ended) if turn else [BlockEnded(block=ended)]

    def compacted(self, turn: RunningTurn, data: Fields) -> list[Occurrence]:
        """Return what it means that the context was compacted."""
        return [BlockEnded(block=blocks.compaction(data, self._where(turn, data)))]

    def _begin(self, turn: RunningTurn, where: Block, event: Fields) -> list[Occurrence]:
        index = self._index[where.conversation] = number(event, "index") or 0
        if text(event, "content_block", "type") not in WRITTEN:
            return []
        message = self._message.get(where.conversation, "")
        return turn.begin(blocks.said(table(event, "content_block"), message, index, where))

    def _delta(self, turn: RunningTurn, where: Block, event: Fields) -> list[Occurrence]:
        field = _DELTAS.get(text(event, "delta", "type"))
        if field is None:
            return []
        message = self._message.get(where.conversation, "")
        return turn.wrote(blocks.written_id(message, number(event, "index") or 0), text(event, "delta", field))

    def _place(self, conversation: str, message: str) -> int:
        """Return where in its message a whole part stands: where it was just written, else after those before it."""
        writing = self._index.get(conversation)
        if writing is not None and self._message.get(conversation) == message:
            self._said[message] = writing + 1
            return writing
        self._said[message] += 1
        return self._said[message] - 1

    def _where(self, turn: RunningTurn, data: Mapping[str, object]) -> Block:
        """Return a block that has nothing but its turn and its conversation."""
        use = text(data, "parent_tool_use_id")
        agent = text(data, "agent_id") or (self._agents[use].id if use in self._agents else use)
        return Block(id="", kind=BlockKind.SYSTEM, turn=turn.id, conversation=agent or "main")


def _is_command(data: Fields) -> bool:
    return content_text(table(data, "message").get("content")).startswith(COMMAND)


def _marked(block: Block, status: str) -> Block:
    return replace(block, data={**block.data, "status": status})
