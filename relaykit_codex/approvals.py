"""What Codex asks, and how it is answered. Everything that is not known here is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from msgspec import Struct

from relaykit.model import Decision, Question
from relaykit.plugin.fields import Fields, table, text
from relaykit.plugin.words import capped, one_line
from relaykit_codex.items import diff, paths, unwrapped
from relaykit_codex.protocol import ServerRequest

_WORDS = {
    Decision.APPROVE: "accept",
    Decision.APPROVE_FOR_SESSION: "acceptForSession",
    Decision.DENY: "decline",
    Decision.ABORT: "cancel",
}
_ANY_CALL = "Approved for the session, it may be called with anything."


class Asked(Struct, frozen=True):
    """A question, and what each decision means on the wire."""

    question: Question
    request: int | str
    answers: Mapping[Decision, Fields]
    aborts: bool = True
    """Whether the answer to ``abort`` ends the turn by itself."""


def asked(request: ServerRequest, item: Fields) -> Asked | None:
    """Return what a request asks, or None where it is to be refused.

    Args:
        request: What the server sent.
        item: The item that it is about, as its start told it; empty where there was none.
    """
    ask = _ASKS.get(request.method)
    return ask(request, item) if ask else None


def _command(request: ServerRequest, item: Fields) -> Asked:
    params = request.params
    host = text(params, "networkApprovalContext", "host")
    command = unwrapped(text(params, "command") or text(item, "command"))
    action, title = ("network", f"connect to {host}") if host else ("command", command)
    detail = _lines(
        ("", text(params, "reason")),
        ("in ", text(params, "cwd") or text(item, "cwd")),
        ("", command if one_line(title) != command else ""),
        ("asks for ", _json(params, "additionalPermissions")),
    )
    return _decided(request, action, title or "a command that codex does not name", detail)


def _file_change(request: ServerRequest, item: Fields) -> Asked:
    root = text(request.params, "grantRoot")
    files = ", ".join(paths(item))
    detail = _lines(
        ("", text(request.params, "reason")),
        ("for everything below ", root),
        ("", files if one_line(files) != files else ""),
        ("", capped(diff(item))),
    )
    return _decided(request, "file_change", files or "files that codex does not name", detail)


def _elicitation(request: ServerRequest, item: Fields) -> Asked | None:
    meta = table(request.params, "_meta")
    if text(meta, "codex_approval_kind") != "mcp_tool_call":
        return None
    tool = text(meta, "tool_name") or text(item, "tool") or "a tool that codex does not name"
    title = f"{text(request.params, 'serverName')}.{tool}"
    detail = _lines(("", text(request.params, "message")), ("", _json(meta, "tool_params")), ("", _ANY_CALL))
    accepted: Fields = {"action": "accept", "content": {}}
    answers: dict[Decision, Fields] = {
        Decision.APPROVE: accepted,
        Decision.APPROVE_FOR_SESSION: {**accepted, "_meta": {"persist": "session"}},
        Decision.DENY: {"action": "decline", "content": None},
        Decision.ABORT: {"action": "cancel", "content": None},
    }
    return Asked(_question(request, "tool", title, detail), request.id, answers, aborts=False)


_ASKS: Mapping[str, Callable[[ServerRequest, Fields], Asked | None]] = {
    "item/commandExecution/requestApproval": _command,
    "item/fileChange/requestApproval": _file_change,
    "mcpServer/elicitation/request": _elicitation,
}


def _decided(request: ServerRequest, action: str, title: str, detail: str) -> Asked:
    answers = {decision: {"decision": word} for decision, word in _WORDS.items()}
    return Asked(_question(request, action, title, detail), request.id, answers)


def _question(request: ServerRequest, action: str, title: str, detail: str) -> Question:
    item = text(request.params, "itemId")
    return Question(
        key=f"{item or request.method}#{request.id}",
        action=action,
        title=one_line(title),
        detail=detail,
        turn=text(request.params, "turnId") or None,
        item=item or None,
    )


def _lines(*parts: tuple[str, str]) -> str:
    return "\n".join(f"{before}{value}" for before, value in parts if value)


def _json(data: Fields, name: str) -> str:
    value = data.get(name)
    return json.dumps(value, ensure_ascii=False) if value else ""
