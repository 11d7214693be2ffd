"""A tool from a schema and a function: arguments are checked, refusals are told in words that help."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from relaykit.errors import RelaykitError
from relaykit.registry.schema import Checker
from relaykit.server.mcp import Tool, ToolResult

if TYPE_CHECKING:
    from relaykit.server.desk import Desk

Document = Mapping[str, Any]
Act = Callable[["Desk", Mapping[str, Any]], Awaitable[Document]]


def tool(
    name: str,
    description: str,
    properties: Mapping[str, Any],
    act: Act,
    *,
    required: tuple[str, ...] = (),
    reads: bool = False,
) -> Tool[Desk]:
    """Return a tool that says what ``act`` returns, as JSON."""
    schema = {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }
    checker = Checker(schema, of=f"tool {name}")

    async def run(desk: Desk, arguments: Mapping[str, Any]) -> ToolResult:
        if problems := [*map(str, checker.problems(dict(arguments))), *_no_texts(arguments)]:
            return ToolResult(text=f"{name}: " + "; ".join(problems), is_error=True)
        if desk.caller.session is not None:
            await desk.caller.session.caught_up()
        try:
            return ToolResult(text=json.dumps(await act(desk, _whole(arguments, properties)), ensure_ascii=False))
        except RelaykitError as error:
            return ToolResult(text=f"{name}: {error}", is_error=True)

    return Tool(name=name, description=description, schema=schema, run=run, reads=reads)


def _whole(arguments: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with their whole numbers as such: JSON Schema takes 2.0 for one, too."""
    return {
        name: int(value) if properties[name].get("type") == "integer" and isinstance(value, float) else value
        for name, value in arguments.items()
    }


def _no_texts(arguments: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with strings that no store can hold: JSON may have half a character."""
    found = []
    for name, value in arguments.items():
        try:
            str(value).encode()
        except UnicodeEncodeError as error:
            found.append(f"{name!r} is no valid text: {error.reason} at character {error.start}")
    return found


def text(description: str, **more: Any) -> dict[str, Any]:
    """Return the schema of a string."""
    return {"type": "string", "description": description, **more}


def number(description: str, least: float, most: float) -> dict[str, Any]:
    """Return the schema of a number."""
    return {"type": "number", "description": description, "minimum": least, "maximum": most}


def count(description: str, most: int) -> dict[str, Any]:
    """Return the schema of a whole number from 1."""
    return {"type": "integer", "description": description, "minimum": 1, "maximum": most}


def place(description: str) -> dict[str, Any]:
    """Return the schema of a place in a text, from 0."""
    return {"type": "integer", "description": description, "minimum": 0}


def flag(description: str) -> dict[str, Any]:
    """Return the schema of a yes or no."""
    return {"type": "boolean", "description": description}
