"""What became of a thread's turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.model import BlockKind, Outcome, PastSession, PastTurn
from relaykit.plugin.fields import Fields, number, rows, table, text
from relaykit_codex.client import Refused
from relaykit_codex.faults import turn_fault
from relaykit_codex.items import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit_codex.client import Client

_PAGE = 20
_PAGES = 25
_OUTCOMES = {
    "completed": Outcome.COMPLETED,
    "interrupted": Outcome.INTERRUPTED,
    "failed": Outcome.FAILED,
    "inProgress": None,
}


async def read_history(client: Client, thread: str) -> Sequence[PastTurn] | None:
    """Return a thread's last 500 turns, oldest first, or None where there is no such thread."""
    turns: list[PastTurn] = []
    cursor: str | None = None
    for _ in range(_PAGES):
        asked = {"threadId": thread, "itemsView": "full", "sortDirection": "desc", "limit": _PAGE, "cursor": cursor}
        try:
            page = await client.request("thread/turns/list", asked)
        except Refused:
            return None
        turns += [past_turn(turn) for turn in rows(page, "data")]
        cursor = text(page, "nextCursor") or None
        if cursor is None:
            break
    return turns[::-1]


async def list_threads(client: Client, limit: int) -> Sequence[PastSession]:
    """Return the threads of this CODEX_HOME that are not archived, the latest first."""
    page = await client.ask("thread/list", {"limit": limit, "sortKey": "updated_at"})
    return [
        PastSession(
            id=text(thread, "id"),
            cwd=text(thread, "cwd"),
            title=text(thread, "name") or text(thread, "preview"),
            updated_at=number(thread, "updatedAt") or 0,
        )
        for thread in rows(page, "data")
    ]


def past_turn(turn: Fields) -> PastTurn:
    """Return a turn as codex keeps it. One that was cut off before anything was written has no items at all."""
    items = rows(turn, "items")
    ours = [text(item, "clientId") for item in items if text(item, "type") == "userMessage"]
    error = table(turn, "error")
    return PastTurn(
        id=text(turn, "id"),
        submissions=tuple(name for name in ours if name),
        outcome=_OUTCOMES.get(text(turn, "status"), Outcome.FAILED),
        text=_last_text(items),
        worked=any(text(item, "type") != "userMessage" for item in items),
        fault=turn_fault(error) if error else None,
    )


def _last_text(items: Sequence[Fields]) -> str:
    blocks = [block for item in items if (block := written(item, ""))]
    said = [block for block in blocks if block.kind is BlockKind.ASSISTANT_TEXT]
    final = [block for block in said if block.data.get("phase") != "commentary"]
    return (final or said)[-1].text if said else ""
