"""Offers the mailbox ``sqlite``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relaykit.plugin.component import Component
from relaykit.plugin.hooks import hookimpl

if TYPE_CHECKING:
    from relaykit.plugin import Context, Mailbox

_OPTIONS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "path": {"type": "string", "description": "The file; mailbox.db in the home directory where none is given."},
        "synced": {"type": "boolean", "default": False, "description": "Sync local messages against loss of power."},
    },
}


@hookimpl
def relaykit_mailboxes() -> Iterable[Component[Mailbox]]:
    """Offer the mailbox in a file."""
    return [
        Component(
            name="sqlite",
            summary="messages in a SQLite file that all relays of this machine share",
            open=_open,
            options_schema=_OPTIONS,
        )
    ]


def _path(options: Mapping[str, Any], default: Path) -> Path:
    return Path(options["path"]).expanduser() if "path" in options else default


@asynccontextmanager
async def _open(options: Mapping[str, Any], context: Context) -> AsyncIterator[Mailbox]:
    from relaykit.mailbox.schema import FILE  # noqa: PLC0415 - a plugin's registration module stays cheap
    from relaykit.mailbox.sqlite import open_mailbox  # noqa: PLC0415

    async with open_mailbox(
        _path(options, context.home / FILE),
        routers=context.routers,
        limits=context.limits,
        now=context.clock.now,
        synced=options.get("synced", False),
    ) as mailbox:
        yield mailbox
