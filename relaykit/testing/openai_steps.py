"""What the scripted Responses API answers: the words that a script is made of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

Item = dict[str, Any]
Call = Mapping[str, Any]
"""The body of one request."""

_ids = count(1)
_OUTPUTS = ("function_call_output", "custom_tool_call_output", "local_shell_call_output")
_NOT_A_PERSON = ("<", "# AGENTS.md")
_ERRORS = {
    400: ("invalid_request_error", "Bad request (stub)."),
    401: ("invalid_api_key", "Incorrect API key provided (stub)."),
    429: ("rate_limit_exceeded", "Rate limit reached (stub). Please try again in 1s."),
    500: ("server_error", "The server had an error (stub)."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What becomes of one request."""

    items: tuple[str | Item, ...] = ()
    """Output items in order; a string is an assistant message, streamed in pieces."""
    seconds: float = 0.0
    """Time over which the pieces of a message are spread."""
    pieces: int = 0
    """Into how many a message is cut; 0 leaves it to the time."""
    gate: str = ""
    """A message stops halfway until this gate is opened."""
    input_tokens: int = 100
    status: int = 200
    error: tuple[str, str] = ("", "")
    """Code and message: of the HTTP error, or with status 200 of ``response.failed``."""
    cut: bool = False
    """The connection breaks after a first piece of text."""
    hang: float = 0.0
    """Seconds of silence in place of any output."""
    attempts: int | None = None
    """It goes wrong only this often; later requests of the same step are answered ``recovered``."""


def plan(call: Call) -> str:
    """Return the step that a request has come to.

    The last message of a person is the script, its steps divided by ``;;``, from the first line on that begins
    with the name of a step. The number of tool outputs after that message says which step is next.
    """
    script, done = "", 0
    for item in _inputs(call):
        if item.get("type") == "compaction_trigger":
            return "compact:"
        text = _text(item)
        if item.get("type", "message") == "message" and item.get("role") == "user":
            if not text.lstrip().startswith(_NOT_A_PERSON):
                script, done = text, 0
        elif item.get("type") in _OUTPUTS:
            done += 1
    steps = [step.strip() for step in _script(script).split(";;")]
    return steps[done] if done < len(steps) else "say:(script over)"


def answer(step: str, call: Call) -> Answer:
    """Return what a step answers; text that is no step is said back."""
    name, colon, argument = step.partition(":")
    act = STEPS.get(name) if colon or name in ("drop", "hang") else None
    return act(argument, call) if act else Answer(items=(f"stub: {step}",))


def _inputs(call: Call) -> list[Item]:
    given = call.get("input") or []
    return [{"role": "user", "content": given}] if isinstance(given, str) else list(given)


def _text(item: Item) -> str:
    content = item.get("content") or []
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if isinstance(part, dict))


def _script(text: str) -> str:
    found = _BEGIN.search(text)
    return text[found.start() :] if found else text


def _say(argument: str, _call: Call) -> Answer:
    return Answer(items=(argument,))


def _slow(argument: str, _call: Call) -> Answer:
    seconds, _, text = argument.partition(":")
    return Answer(items=(text or "slow text " * 10,), seconds=float(seconds))


def _pieces(argument: str, _call: Call) -> Answer:
    pieces, _, text = argument.partition(":")
    return Answer(items=(text,), pieces=int(pieces))


def _gate(argument: str, _call: Call) -> Answer:
    gate, _, text = argument.partition(":")
    return Answer(items=(text or "through the gate",), gate=gate)


def _reason(argument: str, _call: Call) -> Answer:
    thought, _, text = argument.partition("|")
    summary = [{"type": "summary_text", "text": thought}]
    item = {"type": "reasoning", "id": _id("rs"), "summary": summary, "content": [], "encrypted_content": "c3R1Yg=="}
    return Answer(items=(item, text or "reasoned"))


def _exec(argument: str, call: Call) -> Answer:
    return Answer(items=(_shell(call, argument),))


def _escalate(argument: str, call: Call) -> Answer:
    return Answer(items=(_shell(call, argument, escalated=True),))


def _parallel(argument: str, call: Call) -> Answer:
    return Answer(items=tuple(_shell(call, command) for command in argument.split("&&&")))


def _patch(argument: str, call: Call) -> Answer:
    path, _, content = argument.partition("|")
    return Answer(items=(_apply(call, f"*** Add File: {path}\n+{content or 'hello'}"),))


def _patch_update(argument: str, call: Call) -> Answer:
    path, old, new = argument.split("|")
    return Answer(items=(_apply(call, f"*** Update File: {path}\n@@\n-{old}\n+{new}"),))


def _tool(argument: str, call: Call) -> Answer:
    name, _, arguments = argument.partition("|")
    offered = _offered(call).get(name, {})
    return Answer(items=(_function(name, arguments or "{}", offered.get("within")),))


def _recall(argument: str, call: Call) -> Answer:
    outputs = [_text({"content": item.get("output")}) for item in _inputs(call) if item.get("type") in _OUTPUTS]
    return Answer(items=(f"{argument} {outputs[-1] if outputs else ''}".rstrip(),))


def _custom(argument: str, _call: Call) -> Answer:
    name, _, given = argument.partition("|")
    return Answer(items=(_custom_call(name, given),))


def _http(argument: str, _call: Call) -> Answer:
    code, _, times = argument.partition(":")
    error = _ERRORS.get(int(code), ("stub_error", "stub error"))
    return Answer(status=int(code), error=error, attempts=int(times) if times else None)


def _failed(argument: str, _call: Call) -> Answer:
    code, _, message = argument.partition(":")
    return Answer(error=(code, message or f"stub {code}"))


def _drop(argument: str, _call: Call) -> Answer:
    return Answer(cut=True, attempts=int(argument) if argument else None)


def _hang(argument: str, _call: Call) -> Answer:
    return Answer(hang=float(argument or 600))


def _burn(argument: str, _call: Call) -> Answer:
    tokens, _, text = argument.partition("|")
    return Answer(items=(text or "burnt",), input_tokens=int(tokens))


def _compact(_argument: str, _call: Call) -> Answer:
    return Answer(items=({"type": "compaction", "id": _id("cmp"), "encrypted_content": "c3R1Yg=="},))


STEPS: Mapping[str, Callable[[str, Call], Answer]] = {
    "say": _say,
    "slow": _slow,
    "pieces": _pieces,
    "gate": _gate,
    "reason": _reason,
    "exec": _exec,
    "esc": _escalate,
    "par": _parallel,
    "patch": _patch,
    "patchup": _patch_update,
    "tool": _tool,
    "recall": _recall,
    "custom": _custom,
    "http": _http,
    "failed": _failed,
    "drop": _drop,
    "hang": _hang,
    "burn": _burn,
    "compact": _compact,
}
"""Every step by its name."""
_BEGIN = re.compile(rf"^(?:{'|'.join(STEPS)})(?::|$)", re.MULTILINE)


def _id(prefix: str) -> str:
    return f"{prefix}_{next(_ids)}"


def _offered(call: Call) -> dict[str, Item]:
    """Return the tools of a request by name; the newest models get them as an input item, in namespaces."""
    tools = list(call.get("tools") or [])
    for item in _inputs(call):
        if item.get("type") == "additional_tools":
            tools += item.get("tools") or []
    found: dict[str, Item] = {}
    for tool in tools:
        inner = [dict(one, within=tool.get("name")) for one in tool.get("tools", [])]
        for one in inner if tool.get("type") == "namespace" else [tool]:
            found[one.get("name") or one.get("type", "")] = one
    return found


def _shell(call: Call, command: str, *, escalated: bool = False) -> Item:
    more = {"sandbox_permissions": "require_escalated", "justification": "stub asks to leave the sandbox"}
    extra = more if escalated else {}
    tools = _offered(call)
    if "exec_command" in tools:
        arguments = json.dumps({"cmd": command, **extra})
        return _function("exec_command", arguments, tools["exec_command"].get("within"))
    if "exec" in tools:
        wanted = json.dumps({"cmd": command, **extra})
        return _custom_call("exec", f"const r = await tools.exec_command({wanted}); text(JSON.stringify(r));")
    if "shell_command" in tools:
        return _function("shell_command", json.dumps({"command": command, **extra}))
    return _function("shell", json.dumps({"command": ["bash", "-lc", command], **extra}))


def _apply(call: Call, change: str) -> Item:
    patch = f"*** Begin Patch\n{change}\n*** End Patch"
    tool = _offered(call).get("apply_patch")
    if tool is None:
        return _shell(call, f"apply_patch <<'EOF'\n{patch}\nEOF")
    if tool.get("type") == "custom":
        return _custom_call("apply_patch", patch)
    return _function("apply_patch", json.dumps({"input": patch}))


def _function(name: str, arguments: str, namespace: str | None = None) -> Item:
    call = _id("call")
    item = {"type": "function_call", "id": f"fc_{call}", "call_id": call, "name": name, "arguments": arguments}
    return {**item, "status": "completed", **({"namespace": namespace} if namespace else {})}


def _custom_call(name: str, given: str) -> Item:
    call = _id("call")
    item = {"type": "custom_tool_call", "id": f"ctc_{call}", "call_id": call, "name": name, "input": given}
    return {**item, "status": "completed"}
