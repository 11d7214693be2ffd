"""Codex's items as blocks."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping

from relaykit.model import Block, BlockKind
from relaykit.plugin.fields import Fields, number, rows, strings, table, text
from relaykit.plugin.words import OUTPUT_LIMIT, capped

WRITTEN = {
    "agentMessage": BlockKind.ASSISTANT_TEXT,
    "reasoning": BlockKind.THINKING,
    "plan": BlockKind.SYSTEM,
}
"""Items whose text is written bit by bit."""
COMPACTION = "contextCompaction"
_WRAPPED = 3
_SHELLS = frozenset(
    directory + name
    for directory in ("", "/bin/", "/usr/bin/", "/usr/local/bin/", "/opt/homebrew/bin/")
    for name in ("bash", "sh", "zsh")
)
"""Shells that need not be named; one that lies elsewhere may be any program."""
_SUBAGENT = frozenset({"collabAgentToolCall", "subAgentActivity"})


def result_id(item: str) -> str:
    """Return the id of the block that holds a tool's result; the item's own is that of its use."""
    return f"{item}:result"


def written(item: Fields, turn: str) -> Block | None:
    """Return the block of an item that is written bit by bit, with the text it has."""
    kind = WRITTEN.get(text(item, "type"))
    if kind is None:
        return None
    name = "plan" if kind is BlockKind.SYSTEM else ""
    phase = text(item, "phase")
    return Block(
        id=text(item, "id"), kind=kind, turn=turn, name=name, text=_text(item), data={"phase": phase} if phase else {}
    )


def tool_use(item: Fields, turn: str) -> Block | None:
    """Return the block of a tool's use, None where the item is no tool."""
    describe = _USES.get(text(item, "type"))
    if describe is None:
        return None
    name, told, given = describe(item)
    return Block(
        id=text(item, "id"), kind=BlockKind.TOOL_USE, turn=turn, name=name, text=told, data={"input": dict(given)}
    )


def tool_result(item: Fields, turn: str, shown: str = "") -> Block:
    """Return the block of a tool's result; ``shown`` is the output that came in bits, if codex repeats none."""
    name = _USES[text(item, "type")](item)[0]
    return Block(
        id=result_id(text(item, "id")),
        kind=BlockKind.TOOL_RESULT,
        turn=turn,
        name=name,
        text=capped(_output(item) or shown),
        data=_facts(item),
    )


def whole(item: Fields, turn: str) -> Block:
    """Return the block of an item that is told once; one that is not known is kept raw."""
    kind, block = text(item, "type"), text(item, "id")
    if kind == "userMessage":
        said = "\n".join(text(part, "text") for part in rows(item, "content"))
        client = text(item, "clientId")
        sent: dict[str, object] = {"submission": client} if client else {}
        return Block(id=block, kind=BlockKind.USER_MESSAGE, turn=turn, text=said, data=sent)
    if kind == "webSearch":
        data: dict[str, object] = {"input": {"query": text(item, "query")}, "action": table(item, "action")}
        return Block(
            id=block, kind=BlockKind.TOOL_USE, turn=turn, name="web_search", text=text(item, "query"), data=data
        )
    if kind == COMPACTION:
        return Block(id=block, kind=BlockKind.SYSTEM, turn=turn, name="compaction", text="The context was compacted.")
    block_kind = BlockKind.SUBAGENT if kind in _SUBAGENT else BlockKind.SYSTEM
    return Block(id=block, kind=block_kind, turn=turn, name=kind, text=text(item, "prompt"), data={"raw": kept(item)})


def diff(item: Fields) -> str:
    """Return what a file change does, file by file."""
    return "\n".join(
        f"{_verb(change)} {text(change, 'path')}\n{text(change, 'diff')}" for change in rows(item, "changes")
    )


def paths(item: Fields) -> list[str]:
    """Return the files of a file change, and where they are moved to."""
    return [name for change in rows(item, "changes") for name in (text(change, "path"), _target(change)) if name]


def unwrapped(command: str) -> str:
    """Return what the shell is told, where a command is nothing but ``bash -lc`` of it."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    shell = len(words) == _WRAPPED and words[0] in _SHELLS and words[1] in ("-lc", "-c")
    return words[2] if shell else command


def kept(data: Fields) -> Fields:
    """Return what codex says that has no word here, whole unless it is too long to be kept."""
    size = len(json.dumps(data))
    return data if size <= OUTPUT_LIMIT else {"type": data.get("type"), "id": data.get("id"), "characters": size}


def _text(item: Fields) -> str:
    if text(item, "type") == "reasoning":
        return "\n\n".join(strings(item, "summary") or strings(item, "content"))
    return text(item, "text")


def _command(item: Fields) -> tuple[str, str, Fields]:
    return "shell", unwrapped(text(item, "command")), {"command": text(item, "command"), "cwd": text(item, "cwd")}


def _file_change(item: Fields) -> tuple[str, str, Fields]:
    changes = [{"path": text(change, "path"), "kind": text(change, "kind", "type")} for change in rows(item, "changes")]
    return "file_change", capped(diff(item)), {"changes": changes}


def _mcp_call(item: Fields) -> tuple[str, str, Fields]:
    return f"{text(item, 'server')}.{text(item, 'tool')}", "", table(item, "arguments")


def _dynamic_call(item: Fields) -> tuple[str, str, Fields]:
    return text(item, "tool"), "", table(item, "arguments")


_USES: Mapping[str, Callable[[Fields], tuple[str, str, Fields]]] = {
    "commandExecution": _command,
    "fileChange": _file_change,
    "mcpToolCall": _mcp_call,
    "dynamicToolCall": _dynamic_call,
}


def _output(item: Fields) -> str:
    parts = [*rows(item, "result", "content"), *rows(item, "contentItems")]
    told = "\n".join(said for part in parts if (said := text(part, "text")))
    return text(item, "aggregatedOutput") or text(item, "error", "message") or told


def _facts(item: Fields) -> dict[str, object]:
    facts = {
        "status": text(item, "status") or None,
        "exit_code": number(item, "exitCode"),
        "duration_ms": number(item, "durationMs"),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _target(change: Fields) -> str:
    return text(change, "kind", "move_path")


def _verb(change: Fields) -> str:
    return text(change, "kind", "type") or "change"
