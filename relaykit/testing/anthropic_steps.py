"""What the scripted Messages API answers: the words that a script is made of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

Item = dict[str, Any]
Call = Mapping[str, Any]
"""The body of one request."""

_ids = count(1)
_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
_NOT_A_PERSON = ("<", "[Request interrupted", "Caveat:", "The user sent a new message while you were working:")
"""How a text begins that is no script. The last of them holds a message that joined a turn, which Claude Code 2.1.332 hands
over as a person's; until 2.1.327 it was the program's own."""
_NEXT, _INNER = ";;", ",,"
_RECALL = "recall"
"""The one step that looks at its request."""
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What becomes of one request."""

    blocks: tuple[str | Item, ...] = ()
    """Content blocks in order; a string is text, streamed in pieces."""
    seconds: float = 0.0
    """Time over which the pieces of a text are spread."""
    pieces: int = 0
    """Into how many a text is cut; 0 leaves it to the time."""
    gate: str = ""
    """A text stops halfway until this gate is opened."""
    input_tokens: int = 100
    status: int = 200
    error: str = ""
    """The type of the HTTP error, or with status 200 of an error inside the stream."""
    cut: bool = False
    """The connection breaks after a first piece of text."""
    hang: float = 0.0
    """Seconds of silence in place of any output."""
    attempts: int | None = None
    """It goes wrong only this often; later requests of the same step are answered ``recovered``."""


def plan(call: Call) -> str:
    """Return the step that a request has come to.

    The last text of a person is the script, its steps divided by ``;;``, from the first line on that begins with
    the name of a step. The number of answers after it says which step is next.
    """
    script, done = "", 0
    for role, block in _said(call):
        if role == "assistant":
            done += 1
        elif text := _a_persons(block):
            script, done = text, 0
    steps = [step.strip() for step in _script(script).split(_NEXT)]
    return steps[done] if done < len(steps) else "say:(script over)"


def answer(step: str, call: Call | None = None) -> Answer:
    """Return what a step answers to a request; text that is no step is said back."""
    name, colon, argument = step.partition(":")
    if name == _RECALL and colon:
        return _recall(argument, call or {})
    act = STEPS.get(name) if colon or name in ("drop", "hang") else None
    return act(argument) if act else Answer(blocks=(f"stub: {step[:300]}",))


def _said(call: Call) -> Iterator[tuple[str, Item]]:
    """Yield who said what, block by block; an assistant's message counts once."""
    for message in call.get("messages") or []:
        if message["role"] not in ("user", "assistant"):
            continue  # what the program itself adds
        content = message.get("content") or ""
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        yield from ((message["role"], block) for block in (blocks[:1] if message["role"] == "assistant" else blocks))


def _a_persons(block: Item) -> str:
    text = _REMINDER.sub("", block.get("text") or "").strip()
    return "" if block.get("type") != "text" or text.startswith(_NOT_A_PERSON) else text


def _script(text: str) -> str:
    found = _BEGIN.search(text)
    return text[found.start() :] if found else text


def _say(argument: str) -> Answer:
    return Answer(blocks=(argument,))


def _slow(argument: str) -> Answer:
    seconds, _, text = argument.partition(":")
    return Answer(blocks=(text or "slow text " * 10,), seconds=float(seconds))


def _pieces(argument: str) -> Answer:
    pieces, _, text = argument.partition(":")
    return Answer(blocks=(text,), pieces=int(pieces))


def _gate(argument: str) -> Answer:
    gate, _, text = argument.partition(":")
    return Answer(blocks=(text or "through the gate",), gate=gate)


def _recall(argument: str, call: Call) -> Answer:
    results: list[Any] = [block.get("content") for _, block in _said(call) if block.get("type") == "tool_result"]
    last = results[-1] if results else ""
    words = last if isinstance(last, str) else " ".join(part.get("text", "") for part in last)
    return Answer(blocks=(f"{argument} {words}".rstrip(),))


def _think(argument: str) -> Answer:
    thought, _, text = argument.partition("|")
    item = {"type": "thinking", "thinking": thought, "signature": "c3R1Yi1zaWduYXR1cmU="}
    return Answer(blocks=(item, text or "thought"))


def _exec(argument: str) -> Answer:
    return Answer(blocks=(_use("Bash", {"command": argument, "description": "as scripted"}),))


def _parallel(argument: str) -> Answer:
    commands = argument.split("&&&")
    return Answer(blocks=tuple(_use("Bash", {"command": command}) for command in commands))


def _write(argument: str) -> Answer:
    path, _, content = argument.partition("|")
    return Answer(blocks=(_use("Write", {"file_path": path, "content": content or "hello"}),))


def _tool(argument: str) -> Answer:
    name, _, arguments = argument.partition("|")
    return Answer(blocks=(_use(name, json.loads(arguments or "{}")),))


def _agent(argument: str) -> Answer:
    return Answer(blocks=(_delegated(argument, background=False),))


def _background(argument: str) -> Answer:
    return Answer(blocks=(_delegated(argument, background=True),))


def _http(argument: str) -> Answer:
    code, _, times = argument.partition(":")
    return Answer(status=int(code), error=_ERRORS.get(int(code), "api_error"), attempts=int(times) if times else None)


def _failed(argument: str) -> Answer:
    return Answer(error=argument or "overloaded_error")


def _drop(argument: str) -> Answer:
    return Answer(cut=True, attempts=int(argument) if argument else None)


def _hang(argument: str) -> Answer:
    return Answer(hang=float(argument or 600))


def _burn(argument: str) -> Answer:
    tokens, _, text = argument.partition("|")
    return Answer(blocks=(text or "burnt",), input_tokens=int(tokens))


STEPS: Mapping[str, Callable[[str], Answer]] = {
    "say": _say,
    "slow": _slow,
    "pieces": _pieces,
    "gate": _gate,
    "think": _think,
    "exec": _exec,
    "par": _parallel,
    "write": _write,
    "tool": _tool,
    "agent": _agent,
    "background": _background,
    "http": _http,
    "failed": _failed,
    "drop": _drop,
    "hang": _hang,
    "burn": _burn,
}
"""Every other step by its name."""
_BEGIN = re.compile(rf"^(?:{'|'.join([*STEPS, _RECALL])})(?::|$)", re.MULTILINE)


def _use(name: str, given: Item) -> Item:
    return {"type": "tool_use", "id": f"toolu_stub{next(_ids)}", "name": name, "input": given}


def _delegated(script: str, *, background: bool) -> Item:
    given = {"description": "as scripted", "prompt": script.replace(_INNER, _NEXT), "subagent_type": "general-purpose"}
    return _use("Agent", {**given, "run_in_background": background})
