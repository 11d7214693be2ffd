"""The event stream of one scripted response."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from itertools import count
from typing import Any

from relaykit.testing.openai_steps import Answer, Item

Event = dict[str, Any]
_ids = count(1)
_PIECES = 4
_PIECES_PER_SECOND = 4


def open_response(call: Mapping[str, Any]) -> tuple[Item, Event]:
    """Return a new response and the event that announces it."""
    response = {"id": f"resp_{next(_ids)}", "object": "response", "created_at": int(time.time()), "output": []}
    response |= {"model": call.get("model"), "status": "in_progress"}
    return response, {"type": "response.created", "response": response}


def failed(response: Item, code: str, message: str) -> Event:
    """Return the event that ends a response badly."""
    error = {"code": code, "message": message}
    return {"type": "response.failed", "response": {**response, "status": "failed", "error": error}}


def output(answer: Answer, response: Item) -> Iterator[Event]:
    """Return the events of an answer's items, and the end."""
    pieces = answer.pieces or max(_PIECES, int(answer.seconds * _PIECES_PER_SECOND))
    done: list[Item] = []
    for index, item in enumerate(answer.items or ("partial text",)):
        if isinstance(item, str):
            message = yield from _message(index, item, pieces)
            done.append(message)
        else:
            yield from _whole(index, item)
            done.append(item)
    yield {"type": "response.completed", "response": _finished(response, done, answer.input_tokens)}


def _message(index: int, text: str, pieces: int) -> Generator[Event, None, Item]:
    begun = {"type": "message", "id": f"msg_{next(_ids)}", "role": "assistant", "status": "in_progress", "content": []}
    place = {"item_id": begun["id"], "output_index": index, "content_index": 0}
    yield {"type": "response.output_item.added", "output_index": index, "item": begun}
    size = max(1, -(-len(text) // pieces))
    for start in range(0, len(text), size):
        yield {"type": "response.output_text.delta", **place, "delta": text[start : start + size]}
    content = [{"type": "output_text", "text": text, "annotations": []}]
    item = {**begun, "status": "completed", "content": content}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}
    return item


def _whole(index: int, item: Item) -> Iterator[Event]:
    begun = {**item, "status": "in_progress"} if "status" in item else item
    yield {"type": "response.output_item.added", "output_index": index, "item": begun}
    if item["type"] == "reasoning":
        yield from _summary(index, item)
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _summary(index: int, item: Item) -> Iterator[Event]:
    place = {"item_id": item["id"], "output_index": index, "summary_index": 0}
    text = item["summary"][0]["text"]
    empty = {"type": "summary_text", "text": ""}
    yield {"type": "response.reasoning_summary_part.added", **place, "part": empty}
    yield {"type": "response.reasoning_summary_text.delta", **place, "delta": text}
    yield {"type": "response.reasoning_summary_text.done", **place, "text": text}


def _finished(response: Item, done: list[Item], tokens: int) -> Item:
    usage: Item = {"input_tokens": tokens, "output_tokens": 20, "total_tokens": tokens + 20}
    usage |= {"input_tokens_details": {"cached_tokens": 10}, "output_tokens_details": {"reasoning_tokens": 5}}
    return {**response, "status": "completed", "output": done, "usage": usage}
