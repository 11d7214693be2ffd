"""Claude's content as blocks: the same ids whether it is told live or read from a transcript."""

from __future__ import annotations

import json

from msgspec.structs import replace

from relaykit.model import Block, BlockKind
from relaykit.plugin.fields import Fields, number, rows, table, text
from relaykit.plugin.words import OUTPUT_LIMIT, capped

WRITTEN = {"text": BlockKind.ASSISTANT_TEXT, "thinking": BlockKind.THINKING, "redacted_thinking": BlockKind.THINKING}
"""Content that is written bit by bit."""
INTERRUPTED = "[Request interrupted by user"
"""What claude writes into a conversation that was interrupted."""
COMMAND = "<command-name>/"
"""How claude writes down a command of its own that it was given as a message."""
_COMMANDS = ("<command-name>", "<local-command-", "<bash-")
SYNTHETIC = "<synthetic>"
"""The model of an answer that claude made up in place of the API's."""


def written_id(message: str, index: int) -> str:
    """Return the id of what a message says at that place."""
    return f"{message}:{index}"


def result_id(use: str) -> str:
    """Return the id of the block that holds a tool's result; the use's own is that of the use."""
    return f"{use}:result"


def said(content: Fields, message: str, index: int, where: Block) -> Block:
    """Return the block of one part of what the model says; ``where`` is an empty block of its turn and conversation."""
    kind = text(content, "type")
    if kind in WRITTEN:
        full = text(content, "text") or text(content, "thinking")
        return replace(where, id=written_id(message, index), kind=WRITTEN[kind], text=full)
    if kind == "tool_use":
        given = table(content, "input")
        return replace(
            where,
            id=text(content, "id"),
            kind=BlockKind.TOOL_USE,
            name=text(content, "name"),
            text=told(given),
            data={"input": dict(given)},
        )
    return replace(where, id=written_id(message, index), name=kind or "unknown", data={"raw": kept(content)})


def result(content: Fields, name: str, extra: Fields, where: Block) -> Block:
    """Return the block of a tool's result; ``extra`` is what claude knows of it beside the text."""
    facts = {"error": True} if content.get("is_error") is True else {}
    facts |= {key: extra[key] for key in ("exit_code", "interrupted", "type", "filePath") if extra.get(key)}
    return replace(
        where,
        id=result_id(text(content, "tool_use_id")),
        kind=BlockKind.TOOL_RESULT,
        name=name,
        text=capped(content_text(content.get("content"))),
        data=facts,
    )


def user_message(line: Fields, where: Block, *, sent: bool = False) -> Block | None:
    """Return the block of something that came as a user's message, None where it says nothing.

    Args:
        line: How claude tells it.
        where: An empty block of its turn and conversation.
        sent: Whether it is known to have been sent, and is no note of claude's own, whatever its words are.
    """
    words = content_text(table(line, "message").get("content"))
    name = text(line, "uuid")
    if not words or not name or (not sent and words.startswith(INTERRUPTED)):
        return None
    if not sent and (noticed := _notice(line, words)) is not None:
        return replace(where, id=name, name=noticed, text=capped(words))
    ours = {"submission": name} if where.conversation == "main" else {}
    return replace(where, id=name, kind=BlockKind.USER_MESSAGE, text=words, data=ours)


def compaction(line: Fields, where: Block) -> Block:
    """Return the block of a compaction."""
    facts = table(line, "compact_metadata") or table(line, "compactMetadata")
    data = {"trigger": text(facts, "trigger")}
    return replace(where, id=text(line, "uuid"), name="compaction", text="The context was compacted.", data=data)


def content_text(content: object) -> str:
    """Return the text of a message's content, however it is written."""
    if isinstance(content, str):
        return content
    return "\n".join(words for part in rows({"content": content}, "content") if (words := text(part, "text")))


def told(given: Fields) -> str:
    """Return what a tool's use comes to, in the words of its input."""
    for name in ("command", "file_path", "notebook_path", "url", "query", "pattern", "prompt", "plan"):
        if words := text(given, name):
            return capped(words)
    return ""


def kept(data: Fields) -> Fields:
    """Return what claude says that has no word here, whole unless it is too long to be kept."""
    size = len(json.dumps(data))
    return data if size <= OUTPUT_LIMIT else {"type": data.get("type"), "characters": size}


def exit_code(facts: object) -> Fields:
    """Return what a tool's result says beside its text, where it says anything."""
    code = number(facts, "exitCode")
    return {**(facts if isinstance(facts, dict) else {}), **({} if code is None else {"exit_code": code})}


def _notice(line: Fields, words: str) -> str | None:
    if line.get("isCompactSummary") is True or (line.get("isSynthetic") is True and "continued from" in words[:80]):
        return "compaction summary"
    if words.startswith("<task-notification>"):
        return "task notification"
    if words.startswith(_COMMANDS):
        return "local command"
    meta = line.get("isMeta") is True or line.get("isSynthetic") is True
    return "note" if meta else None
