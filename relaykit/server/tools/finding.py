"""find_agents and whoami."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relaykit.model import StatusKind
from relaykit.relay.standing import real_status
from relaykit.server.tools.documents import item_document
from relaykit.server.tools.making import text, tool

if TYPE_CHECKING:
    from relaykit.model import Agent, DirectoryEntry, RelayRecord, Status
    from relaykit.server.desk import Desk

_MOST = 50


async def _find_agents(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    relays = {relay.incarnation: relay for relay in await desk.mailbox.relays()}
    fitting = [one for one in await desk.mailbox.reachable(desk.caller.name) if _fits(one.agent, said)]
    found = [(entry, _status(desk, entry, relays)) for entry in fitting]
    chosen = [_document(entry, status) for entry, status in found if said.get("status") in (None, status.kind)]
    return {"agents": chosen[:_MOST], **({"more": len(chosen) - _MOST} if len(chosen) > _MOST else {})}


async def _whoami(desk: Desk, _said: Mapping[str, Any]) -> dict[str, Any]:
    name = desk.caller.name
    entry = next((one for one in await desk.mailbox.agents() if one.agent.id == name), None)
    items = await desk.mailbox.inbox(name, limit=_MOST)
    return {
        "name": name,
        **(_about(entry.agent) | {"cwd": entry.agent.cwd} if entry and desk.caller.is_agent else {}),
        "working_on": [item_document(item) for item in items if item.delivery.owner is not None],
        "waiting": entry.queued if entry else sum(item.delivery.owner is None for item in items),
    }


def _status(desk: Desk, entry: DirectoryEntry, relays: Mapping[str, RelayRecord]) -> Status:
    services = desk.services
    return real_status(entry, relays.get(entry.owner or ""), services.config.home, services.clock)


def _fits(agent: Agent, said: Mapping[str, Any]) -> bool:
    return (
        said.get("label") in (None, agent.label)
        and ("tag" not in said or said["tag"] in agent.tags)
        and ("capability" not in said or said["capability"] in agent.capabilities)
    )


def _document(entry: DirectoryEntry, status: Status) -> dict[str, Any]:
    reason = {"reason": status.reason} if status.reason else {}
    return {**_about(entry.agent), "status": status.kind.value, **reason, "queued": entry.queued}


def _about(agent: Agent) -> dict[str, Any]:
    more = {"label": agent.label, "tags": list(agent.tags), "capabilities": list(agent.capabilities)}
    return {"name": agent.id, "provider": agent.provider, **{key: value for key, value in more.items() if value}}


FIND_AGENTS = tool(
    "find_agents",
    "The agents that you can send to, with what they are doing. Without arguments all of them. One that is busy or "
    "offline gets what you send later.",
    {
        "label": text("Those with this label.", maxLength=64),
        "tag": text("Those with this tag.", maxLength=64),
        "capability": text("Those that can do this.", maxLength=64),
        "status": text("Those that are so.", enum=[str(kind) for kind in StatusKind]),
    },
    _find_agents,
    reads=True,
)
WHOAMI = tool(
    "whoami",
    "Your name, as others address you, and the messages that you are working on, with their ids.",
    {},
    _whoami,
    reads=True,
)
