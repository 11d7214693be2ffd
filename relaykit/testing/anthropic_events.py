"""The event stream of one scripted message."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any
from uuid import uuid4

from relaykit.testing.anthropic_steps import Answer, Item

Event = dict[str, Any]
_ids = count(1)
_RUN = uuid4().hex[:8]
_PIECES = 4
_PIECES_PER_SECOND = 4
_JSON_PIECE = 40


def open_message(call: Mapping[str, Any], answer: Answer) -> tuple[Item, Event]:
    """Return a new message and the event that announces it; no two runs give the same id."""
    usage = {"input_tokens": answer.input_tokens, "output_tokens": 1}
    usage |= {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 10}
    message = {"id": f"msg_{_RUN}{next(_ids)}", "type": "message", "role": "assistant", "model": call.get("model")}
    message |= {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    return message, {"type": "message_start", "message": message}


def whole_message(call: Mapping[str, Any], answer: Answer) -> Item:
    """Return a message for a request that wants no stream."""
    message, _ = open_message(call, answer)
    said = [{"type": "text", "text": block} if isinstance(block, str) else block for block in answer.blocks]
    return {**message, "content": said, "stop_reason": "end_turn"}


def failed(kind: str) -> Event:
    """Return the event of an error inside the stream."""
    return {"type": "error", "error": {"type": kind, "message": f"{kind} (stub)"}}


def output(answer: Answer, message: Item) -> Iterator[Event]:
    """Return the events of an answer's blocks, and the end."""
    blocks = answer.blocks or ("partial text",)
    for index, block in enumerate(blocks):
        yield from _text(index, block, answer) if isinstance(block, str) else _whole(index, block)
    stop = "tool_use" if any(not isinstance(one, str) and one["type"] == "tool_use" for one in blocks) else "end_turn"
    usage = {**message["usage"], "output_tokens": 20}
    yield {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage}
    yield {"type": "message_stop"}


def is_text(event: Event) -> bool:
    """Whether an event is a piece of text."""
    return bool(event["type"] == "content_block_delta" and event["delta"]["type"] == "text_delta")


def _text(index: int, text: str, answer: Answer) -> Iterator[Event]:
    pieces = answer.pieces or max(_PIECES, int(answer.seconds * _PIECES_PER_SECOND))
    size = max(1, -(-len(text) // pieces))
    parts = [{"type": "text_delta", "text": text[start : start + size]} for start in range(0, len(text), size)]
    yield from _block(index, {"type": "text", "text": ""}, parts)


def _whole(index: int, block: Item) -> Iterator[Event]:
    if block["type"] == "thinking":
        thought = {"type": "thinking_delta", "thinking": block["thinking"]}
        signed = {"type": "signature_delta", "signature": block["signature"]}
        yield from _block(index, {"type": "thinking", "thinking": "", "signature": ""}, [thought, signed])
        return
    given = json.dumps(block["input"])
    parts = [
        {"type": "input_json_delta", "partial_json": given[start : start + _JSON_PIECE]}
        for start in range(0, len(given), _JSON_PIECE)
    ]
    yield from _block(index, {**block, "input": {}}, parts)


def _block(index: int, begun: Item, parts: list[Item]) -> Iterator[Event]:
    yield {"type": "content_block_start", "index": index, "content_block": begun}
    yield from ({"type": "content_block_delta", "index": index, "delta": part} for part in parts)
    yield {"type": "content_block_stop", "index": index}
