"""What Claude asks, and how it is answered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from msgspec import Struct

from relaykit.model import Choice, Decision, Question, Reply
from relaykit.plugin.fields import Fields, rows, strings, table, text
from relaykit.plugin.words import OUTPUT_LIMIT, capped, one_line
from relaykit_claude.blocks import told
from relaykit_claude.protocol import Asked

SHELL = "Bash"
ASKS = "AskUserQuestion"
PLANS = "ExitPlanMode"
_ACTIONS = {
    SHELL: "command",
    "Write": "file_change",
    "Edit": "file_change",
    "MultiEdit": "file_change",
    "NotebookEdit": "file_change",
    "WebFetch": "network",
    "WebSearch": "network",
    ASKS: "question",
    PLANS: "question",
    "EnterPlanMode": "question",
}
_UNUSUAL = {"dangerouslyDisableSandbox": "it runs outside the sandbox", "run_in_background": "it runs on by itself"}
"""What changes how a command runs, and is not in its words."""
_SHOWN = frozenset(
    {
        "command",
        "content",
        "description",
        "edits",
        "file_path",
        "new_source",
        "new_string",
        "notebook_path",
        "old_string",
    }
    | {"query", "url", *_UNUSUAL}
)
"""What the title and the detail of a request are made of."""
_ACCEPT_EDITS = "carry it out, with its edits accepted for this session"
_ASK_EACH = "carry it out, and ask for each edit"
_UNANSWERED = "Nobody answered. Go on by your own judgement, or ask again."


class Open(Struct, frozen=True):
    """A question that claude waits with, as it asked it."""

    question: Question
    request: str
    tool: str
    input: Fields
    suggestions: tuple[Fields, ...]
    agent: str
    """The subagent that asks; it may go on after the turn in which it did."""


def opened(asked: Asked, turn: str | None, used: Fields) -> Open:
    """Return the question that a request comes to; ``used`` is what its tool was given, as far as that is known."""
    request = asked.request
    tool, given = text(request, "tool_name"), table(request, "input")
    use, agent = text(request, "tool_use_id"), text(request, "agent_id")
    title = one_line(_title(tool, given, request))
    question = Question(
        key=f"{use or tool}#{asked.id}",
        action=_ACTIONS.get(tool, "tool"),
        title=title,
        detail=_detail(tool, given or used, request, title),
        turn=None if agent else turn,
        item=use or None,
        choices=_choices(tool, given),
        input=given if _changeable(tool, given) else None,
    )
    return Open(question, asked.id, tool, given, tuple(rows(request, "permission_suggestions")), agent)


def answer(found: Open, decision: Decision, reason: str, reply: Reply | None = None) -> Fields:
    """Return what claude is told."""
    if decision in (Decision.DENY, Decision.ABORT):
        denied = {"behavior": "deny", "message": reason or "It was denied."}
        return {**denied, "interrupt": True} if decision is Decision.ABORT else denied
    if found.tool == ASKS:
        return _answered(found, reply)
    given = _input(found, reply)
    allowed: dict[str, object] = {"behavior": "allow", "updatedInput": given}
    if found.tool == PLANS:
        accepted = reply is not None and reply.answers[:1] == (_ACCEPT_EDITS,)
        return {**allowed, "updatedPermissions": [_mode("acceptEdits")]} if accepted else allowed
    if decision is Decision.APPROVE_FOR_SESSION:
        suggested = found.suggestions if given == found.input else ()  # they are of what was asked
        return {**allowed, "updatedPermissions": _lasting(found.tool, given, suggested)}
    return allowed


def _changeable(tool: str, given: Fields) -> bool:
    return tool not in (ASKS, PLANS) and len(json.dumps(given)) <= OUTPUT_LIMIT


def _answered(found: Open, reply: Reply | None) -> Fields:
    if reply is None or not reply.answers:
        return {"behavior": "deny", "message": _UNANSWERED}
    asked = [choice.question for choice in found.question.choices]
    answers = dict(zip(asked, reply.answers, strict=False))
    return {"behavior": "allow", "updatedInput": {**found.input, "answers": answers}}


def _input(found: Open, reply: Reply | None) -> Fields:
    return dict(reply.input) if reply is not None and reply.input is not None else found.input


def _lasting(tool: str, given: Fields, suggestions: Sequence[Fields]) -> Sequence[Fields]:
    """Return what an approval for the session allows: what claude suggests, else a rule for all that the tool does."""
    suggested: list[Fields] = [{**one, "destination": "session"} for one in suggestions]
    if tool == SHELL:
        return _of_command(text(given, "command"), suggested)
    return suggested or [_rule({"toolName": tool})]


def _of_command(command: str, suggested: Sequence[Fields]) -> Sequence[Fields]:
    """Return what allows this command and the like of it.

    Not the accepted edits that claude suggests beside a rule: whoever approves a command has said nothing of edits.
    Nor a rule with a ``*`` of the command's own: in a rule that is anything at all, and claude knows no other way to
    write it, so such a command is asked for again.
    """
    rules = [one for one in suggested if one.get("type") == "addRules" and not _is_wild(one, command)]
    if not rules and "*" in command:
        return []
    places = [one for one in suggested if one.get("type") == "addDirectories"]
    return [*(rules or (_rule({"toolName": SHELL, "ruleContent": command}),)), *places]


def _is_wild(suggested: Fields, command: str) -> bool:
    named = [text(rule, "ruleContent") for rule in rows(suggested, "rules")]
    return any(not words or ("*" in words and words in command) for words in named)


def _rule(rule: Fields) -> Fields:
    return {"type": "addRules", "rules": [rule], "behavior": "allow", "destination": "session"}


def _scope(command: str, allowed: Sequence[Fields]) -> str:
    """Return what an approval for the session allows, in words."""
    told: list[str] = []
    for one in allowed:
        named = [(text(rule, "toolName"), text(rule, "ruleContent")) for rule in rows(one, "rules")]
        told += [_ruled(tool, words, command) for tool, words in named]
        told += [f"directory {place}" for place in strings(one, "directories")]
        told += [f"mode {mode}"] if (mode := text(one, "mode")) else []
    return f"approved for the session: {', '.join(told) or 'this once'}"


def _ruled(tool: str, words: str, command: str) -> str:
    if not words:
        return f"all that {tool} does"
    return "this command" if words == command else f"{tool}({words})"


def _mode(mode: str) -> Fields:
    return {"type": "setMode", "mode": mode, "destination": "session"}


def _title(tool: str, given: Fields, request: Fields) -> str:
    if tool == ASKS:
        return "; ".join(text(one, "question") for one in rows(given, "questions"))
    if tool == PLANS:
        return "carry out its plan"
    words = text(given, "command") or text(given, "file_path") or text(given, "notebook_path") or text(given, "url")
    return (
        words if words and tool in _ACTIONS else f"{tool or 'a tool'} {words or text(request, 'description')}".strip()
    )


def _detail(tool: str, given: Fields, request: Fields, title: str) -> str:
    if tool == ASKS:
        return ""
    if tool == PLANS:
        return capped(text(given, "plan"))
    parts = [text(given, "description"), text(request, "decision_reason"), _change(given)]
    if blocked := text(request, "blocked_path"):
        parts.append(f"path {blocked}")
    if tool not in _ACTIONS and given:
        parts.append(json.dumps(given, ensure_ascii=False))
    words = told(given)
    parts.append("" if words == title else words)  # a title is one line, and cut off where it is long
    parts += [f"{name}: {meaning}" for name, meaning in _UNUSUAL.items() if given.get(name)]
    parts += _others(given) if tool in _ACTIONS else ()
    allowed = _lasting(tool, given, rows(request, "permission_suggestions"))
    parts.append(_scope(text(given, "command"), allowed))
    return capped("\n".join(part for part in parts if part))


def _others(given: Fields) -> list[str]:
    """Return what else a tool is told: whatever that is, it may be what matters."""
    rest = {name: value for name, value in given.items() if value and name not in _SHOWN}
    return [f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in rest.items()]


def _change(given: Fields) -> str:
    if content := text(given, "content") or text(given, "new_source"):
        return content
    edits = rows(given, "edits") or [given]
    changes = [(text(edit, "old_string"), text(edit, "new_string")) for edit in edits]
    return "\n".join(_marked("-", old) + _marked("+", new) for old, new in changes if old or new)


def _marked(mark: str, lines: str) -> str:
    return "".join(f"{mark} {line}\n" for line in lines.splitlines())


def _choices(tool: str, given: Mapping[str, object]) -> tuple[Choice, ...]:
    if tool == PLANS:
        return (Choice(question="carry out this plan?", options=(_ASK_EACH, _ACCEPT_EDITS), default=_ASK_EACH),)
    if tool != ASKS:
        return ()
    return tuple(
        Choice(
            question=text(one, "question"),
            options=tuple(text(option, "label") for option in rows(one, "options")) or tuple(strings(one, "options")),
            several=one.get("multiSelect") is True,
        )
        for one in rows(given, "questions")
    )
