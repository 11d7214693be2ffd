"""The agents in the live view: what is long gives way first, then the columns that are least needed."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from rich.cells import cell_len

from relaykit.cli.cells import fitted, folded, styled
from relaykit.cli.output import clipped, plain
from relaykit.model import StatusKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from relaykit.model import DirectoryEntry, Status

_STYLES = {"idle": "green", "busy": "yellow", "offline": "dim", "error": "bold red"}
_HEADS = ("agent", "status", "since", "queued", "at work on")
_AGENT, _STATUS, _SINCE, _QUEUED, _WORK = range(len(_HEADS))
_GIVE_WAY = (_QUEUED, _SINCE)
"""The columns that are left out where it is narrow, the least needed first."""
_GAP = 2
_LEAST_WORK = 12
_LEAST_STATUS = len("offline")
_SHORT_ID = 8
_MOST_LINES = 4
"""That an error takes below its agent."""
_INDENT = "    "


def agent_lines(agents: Sequence[DirectoryEntry], width: int, height: int) -> list[Text]:
    """Return them in so many lines, with how many more there are."""
    rows = [_cells(entry) for entry in agents]
    widths = _widths(rows, width)
    head = [_row(_HEADS, widths, ("dim",) * len(_HEADS))]
    blocks = [_block(entry, cells, widths, width) for entry, cells in zip(agents, rows, strict=True)]
    if sum(map(len, blocks)) + len(head) <= height:
        return head + [line for block in blocks for line in block]
    return _shortened(head if height > len(head) + 1 else [], blocks, agents, width, height)


def _shortened(
    head: list[Text], blocks: Sequence[list[Text]], agents: Sequence[DirectoryEntry], width: int, height: int
) -> list[Text]:
    lines, count = list(head), 0
    for block in blocks:
        if len(lines) + len(block) >= height:
            break
        lines += block
        count += 1
    rest = Counter(entry.status.kind.value for entry in agents[count:])
    kinds = ", ".join(f"{number} {kind}" for kind, number in rest.items())
    more = f"and {len(agents) - count} more: {kinds}" if count else f"{len(agents)} agents: {kinds}"
    return [*lines, styled((fitted(more, width), "dim"))][:height]


def _cells(entry: DirectoryEntry) -> tuple[str, ...]:
    status = entry.status
    word = f"{status.kind.value} ({status.reason})" if status.reason else status.kind.value
    since = time.strftime("%H:%M:%S", time.localtime(status.since)) if status.since else ""
    return plain(entry.agent.id), plain(word), since, str(entry.queued or ""), _work(status)


def _work(status: Status) -> str:
    held = [item for item in status.work if item.kind != "permission"]  # which are shown for themselves
    items = (f"{item.kind} {item.label or item.id[:_SHORT_ID]}" for item in held)
    return ", ".join(items) or ("" if status.kind is StatusKind.ERROR else status.detail)


def _widths(rows: Sequence[Sequence[str]], width: int) -> dict[int, int]:
    """Return the columns that are shown, with their widths."""
    widths = {column: max(cell_len(row[column]) for row in [_HEADS, *rows]) for column in range(_WORK)}
    for column in (_WORK, *_GIVE_WAY):
        widths.pop(column, 0)
        left = width - sum(widths.values()) - _GAP * len(widths)
        if left >= _LEAST_WORK:
            return widths | {_WORK: left}
        if left >= -_GAP:
            return widths
    return {_AGENT: max(1, width - _GAP - _LEAST_STATUS), _STATUS: _LEAST_STATUS}


def _block(entry: DirectoryEntry, cells: Sequence[str], widths: dict[int, int], width: int) -> list[Text]:
    """Return an agent's row, with its error below: that is read whole."""
    style = _STYLES[entry.status.kind.value]
    lines = [_row(cells, widths, ("bold", style, "", "", ""))]
    if entry.status.kind is StatusKind.ERROR and entry.status.detail:
        told = clipped(entry.status.detail, _MOST_LINES * width)
        lines += [styled((_INDENT + line, style)) for line in folded(told, width - len(_INDENT))]
    return lines


def _row(cells: Sequence[str], widths: dict[int, int], styles: Sequence[str]) -> Text:
    gap = ""
    parts = []
    for column, size in widths.items():
        parts += [(gap, ""), (fitted(cells[column], size), styles[column])]
        gap = " " * _GAP
    return styled(*parts)
