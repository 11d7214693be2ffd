"""The sink ``console``: one calm line for each thing that a person wants to know."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from relaykit.plugin import Component

if TYPE_CHECKING:
    from relaykit.plugin import Context, StatusSink


@asynccontextmanager
async def _open(options: Mapping[str, Any], context: Context) -> AsyncIterator[StatusSink]:
    from relaykit.builtin.console_sink import open_console  # noqa: PLC0415 - only a sink that is in use pays for it

    async with open_console(
        options.get("stream", "stderr"),
        context,
        colour=options.get("colour", "auto"),
        everything=options.get("events") == "all",
    ) as sink:
        yield sink


COMPONENT: Component[StatusSink] = Component(
    name="console",
    summary="One line on the terminal for each turn, question, status and error",
    open=_open,
    options_schema={
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "stream": {"enum": ["stderr", "stdout"], "default": "stderr", "description": "Where the lines go."},
            "colour": {
                "enum": ["auto", "always", "never"],
                "default": "auto",
                "description": "Colours; auto gives them to a terminal, unless NO_COLOR is set.",
            },
            "events": {
                "enum": ["notable", "all"],
                "default": "notable",
                "description": "Which events are shown; all adds messages, tools and usage.",
            },
        },
    },
)
