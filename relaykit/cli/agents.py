"""``relaykit agents``: who can be written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from relaykit.cli.calling import examples
from relaykit.cli.home import home
from relaykit.cli.mail import mailbox
from relaykit.cli.options import Json
from relaykit.cli.output import say, say_json, table
from relaykit.cli.presence import Present, present

if TYPE_CHECKING:
    from collections.abc import Sequence


@examples("relaykit agents", "relaykit agents --json")
def agents(json: Json = False) -> None:
    """List the agents that the mailbox knows, those that are offline too, with the addresses they answer to."""
    with mailbox() as door:
        found = present(door, home())
    if json:
        say_json({"agents": [agent_document(one) for one in found]})
    elif not found:
        say("no agent has ever run here; start one with `relaykit run --provider NAME`")
    else:
        table(("AGENT", "PROVIDER", "STATUS", "QUEUED", "ADDRESSES", "DIRECTORY"), _rows(found))


def agent_document(one: Present) -> dict[str, Any]:
    """Return an agent for programs."""
    entry, status = one.entry, one.status
    return {
        "id": entry.agent.id,
        "provider": entry.agent.provider,
        "cwd": entry.agent.cwd,
        "label": entry.agent.label,
        "tags": list(entry.agent.tags),
        "capabilities": list(entry.agent.capabilities),
        "status": {
            "kind": status.kind.value,
            "reason": status.reason,
            "detail": status.detail,
            "since": status.since,
            "next_try": status.next_try,
            "work": [{"kind": item.kind, "id": item.id, "label": item.label} for item in status.work],
        },
        "pid": None if status.kind == "offline" else entry.pid,
        "session": entry.session,
        "queued": entry.queued,
        "queued_bytes": entry.queued_bytes,
        "epoch": entry.epoch,
        "able": asdict(entry.agent.able) if entry.agent.able else None,
    }


def _rows(found: Sequence[Present]) -> list[tuple[object, ...]]:
    return [
        (
            one.entry.agent.id,
            one.entry.agent.provider,
            one.status.kind.value,
            one.entry.queued,
            _addresses(one),
            one.entry.agent.cwd,
        )
        for one in found
    ]


def _addresses(one: Present) -> str:
    agent = one.entry.agent
    label = [f"label:{agent.label}"] if agent.label else []
    return " ".join([*label, *(f"tag:{tag}" for tag in agent.tags), *(f"cap:{cap}" for cap in agent.capabilities)])
