"""What the live view of ``relaykit run`` shows, drawn from what is known at one moment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct, field
from rich.console import Group
from rich.table import Table
from rich.text import Text

from relaykit.cli.output import clipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from relaykit.model import DirectoryEntry, PermissionRequest

_STYLES = {"idle": "green", "busy": "yellow", "offline": "dim", "error": "bold red"}
_KEYS = "a approve   s approve for the session   d deny   up, down choose   Ctrl-C stop"
_MOST_REQUESTS = 8
_SHORT_ID = 8


class Picture(Struct, frozen=True, kw_only=True):
    """Everything that is shown."""

    agents: Sequence[DirectoryEntry]
    requests: Sequence[PermissionRequest] = ()
    """The open ones, oldest first."""
    chosen: int = 0
    """Which of them a key decides."""
    notes: Sequence[str] = field(default_factory=tuple)
    """What the relay said last."""


def drawn(picture: Picture) -> RenderableType:
    """Return it as it is printed."""
    parts: list[RenderableType] = [_agents(picture.agents)]
    if picture.requests:
        parts += [Text(), _requests(picture.requests, picture.chosen), Text(_KEYS, style="dim")]
    if picture.notes:
        parts += [Text(), *(Text(clipped(note, 200), style="dim") for note in picture.notes)]
    return Group(*parts)


def _agents(agents: Sequence[DirectoryEntry]) -> Table:
    table = _table("agent", "status", "since", "queued", "at work on")
    for entry in agents:
        status = entry.status
        word = f"{status.kind.value} ({status.reason})" if status.reason else status.kind.value
        work = ", ".join(f"{item.kind} {item.label}" for item in status.work) or status.detail
        table.add_row(
            Text(entry.agent.id, style="bold"),
            Text(word, style=_STYLES[status.kind.value]),
            Text(time.strftime("%H:%M:%S", time.localtime(status.since)) if status.since else ""),
            Text(str(entry.queued or "")),
            Text(clipped(work, 200)),
        )
    return table


def _requests(requests: Sequence[PermissionRequest], chosen: int) -> Table:
    table = _table("", "asks", "wants", "which")
    for number, request in enumerate(requests[:_MOST_REQUESTS]):
        asked = request.question
        mark = "›" if number == chosen else " "  # noqa: RUF001 - it points
        table.add_row(
            Text(mark),
            Text(f"{request.agent} {request.id[:_SHORT_ID]}", style="bold" if number == chosen else ""),
            Text(asked.action),
            Text(clipped(asked.title, 200)),
        )
    if (more := len(requests) - _MOST_REQUESTS) > 0:
        table.add_row("", Text(f"and {more} more", style="dim"))
    return table


def _table(*heads: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", expand=False)
    for head in heads:
        table.add_column(head, no_wrap=True, overflow="ellipsis")
    return table
