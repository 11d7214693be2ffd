"""Who there is: the dock's agents, and those of this machine's relays, in one list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relaykit.errors import ConflictError
from relaykit.model import NAME, USER, Agent
from relaykit_signaldock.dock import shapes
from relaykit_signaldock.dock.keys import digest, new_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.model import DirectoryEntry
    from relaykit.plugin import Mailbox
    from relaykit_signaldock.dock.dock import Caller, Dock
    from relaykit_signaldock.dock.records import DockAgent
    from relaykit_signaldock.dock.store import Store

PROVIDER = "signaldock"
"""What the directory says of agents that sign in here."""


def directory_agent(record: DockAgent) -> Agent:
    """Return an agent of the dock as relays know it."""
    return Agent(
        id=record.id,
        provider=PROVIDER,
        cwd="",
        tags=_words(record.skills),
        capabilities=_words(record.capabilities),
        in_groups=record.privacy == "public",
        reads_inbox=True,
    )


async def enter(store: Store, mailbox: Mailbox, record: DockAgent) -> str:
    """Enter an agent; return its key. Directory first: killed in between, it can be entered once more.

    Raises:
        RefusedError: There is one of that name already, at the dock or elsewhere on this machine.
    """
    taken = ConflictError(f"there is an agent {record.id!r} at the dock already")
    if store.agent(record.id) is not None:
        raise taken
    await mailbox.enroll(directory_agent(record))
    key = new_key()
    if not store.add(record, digest(key)):
        raise taken
    return key


async def find(dock: Dock, caller: Caller | None, id: str) -> dict[str, Any] | None:
    """Return an agent, if there is one that the caller may know of."""
    found = [one for one in await _entries(dock, caller) if one.agent.id == id]
    return await _shape(dock, found[0]) if found and _may_know(dock, caller, found[0], by_name=True) else None


async def everyone(dock: Dock, caller: Caller | None, *, searching: bool) -> list[dict[str, Any]]:
    """Return the agents that the caller may know of; who searches finds those that are discoverable, too."""
    entries = await _entries(dock, caller)
    known = [one for one in entries if _may_know(dock, caller, one, by_name=searching)]
    return [await _shape(dock, one) for one in known]


async def is_known(dock: Dock, name: str) -> bool:
    """Whether someone can be sent something."""
    if name == USER or dock.store.agent(name) is not None:
        return True
    return any(one.agent.id == name for one in await dock.mailbox.agents())


async def agree(dock: Dock) -> None:
    """Have the directory hold the dock's agents and no others of its kind: a dock may have been killed in between."""
    known = {record.id: record for record in dock.store.agents()}
    for record in known.values():
        await dock.mailbox.enroll(directory_agent(record))
    for entry in await dock.mailbox.agents():
        if entry.agent.provider == PROVIDER and entry.agent.reads_inbox and entry.agent.id not in known:
            await dock.mailbox.dismiss(entry.agent.id)


async def _entries(dock: Dock, caller: Caller | None) -> Sequence[DirectoryEntry]:
    if caller is None or caller.is_person:
        return await dock.mailbox.agents()
    own = [one for one in await dock.mailbox.agents() if one.agent.reads_inbox]
    return [*own, *(one for one in await dock.mailbox.reachable(caller.name) if not one.agent.reads_inbox)]


def _may_know(dock: Dock, caller: Caller | None, entry: DirectoryEntry, *, by_name: bool) -> bool:
    record = dock.store.agent(entry.agent.id)
    if record is None:
        return not entry.agent.reads_inbox
    if caller is not None and (caller.is_person or caller.name == record.id):
        return True
    return record.privacy == "public" or (by_name and record.privacy == "discoverable")


async def _shape(dock: Dock, entry: DirectoryEntry) -> dict[str, Any]:
    record = dock.store.agent(entry.agent.id) or shapes.relayed(entry.agent)
    return shapes.agent(record, await dock.presence.word(entry), dock.presence.seen(entry.agent.id))


def _words(texts: Sequence[str]) -> tuple[str, ...]:
    """Return those that can stand in an address."""
    return tuple(text for text in texts if NAME.fullmatch(text))
