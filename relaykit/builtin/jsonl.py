"""The sink ``jsonl``: one JSON object per line, appended to a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from relaykit.plugin import Component

if TYPE_CHECKING:
    from relaykit.plugin import Context, StatusSink

_KEPT = 5


@asynccontextmanager
async def _open(options: Mapping[str, Any], context: Context) -> AsyncIterator[StatusSink]:
    from relaykit.builtin.jsonl_file import open_jsonl  # noqa: PLC0415 - only a sink that is in use pays for it

    async with open_jsonl(
        options["path"],
        context,
        deltas=options.get("deltas", False),
        max_bytes=options.get("max_bytes"),
        keep=options.get("keep", _KEPT),
    ) as sink:
        yield sink


def _check(options: Mapping[str, Any]) -> str:
    from relaykit.builtin.jsonl_file import check_place  # noqa: PLC0415 - as above

    return check_place(options["path"])


COMPONENT: Component[StatusSink] = Component(
    name="jsonl",
    summary="Every event as one line of JSON, appended to a file",
    open=_open,
    check=_check,
    options_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["path"],
        "properties": {
            "path": {
                "type": "string",
                "minLength": 1,
                "description": "The file, 0600. Its directory must exist; a relative path begins where relaykit runs.",
            },
            "deltas": {
                "type": "boolean",
                "default": False,
                "description": "Also the pieces of text that come before a block is complete.",
            },
            "max_bytes": {
                "type": "integer",
                "minimum": 4096,
                "description": "Begin a new file before this one grows beyond so many bytes; without it, never.",
            },
            "keep": {
                "type": "integer",
                "minimum": 1,
                "default": _KEPT,
                "description": "How many full files stay: PATH.1 is the latest.",
            },
        },
    },
)
