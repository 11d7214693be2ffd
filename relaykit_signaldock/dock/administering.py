"""Looking after the agents of a dock, whether it runs or not: it sees at once what is changed here."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import anyio

from relaykit.errors import NotFoundError, RelaykitError, UsageError
from relaykit.model import NAME, StatusKind
from relaykit_signaldock.dock import people
from relaykit_signaldock.dock.keys import CODE_SECONDS, digest, new_code, new_key
from relaykit_signaldock.dock.presence import WORDS
from relaykit_signaldock.dock.records import DockAgent
from relaykit_signaldock.dock.sqlite_store import open_store

if TYPE_CHECKING:
    import argparse

    from relaykit.plugin import Lent
    from relaykit_signaldock.dock.store import Store

_KEY_LOST = "{0} is at the dock and its new key is lost: `relaykit dock keys reset {0}` makes another"


def run(said: argparse.Namespace, lent: Lent) -> int:
    """Do what was said."""
    with open_store(lent.home) as store:
        match said.action, said.verb:
            case "agents", "add":
                anyio.run(_add, said, lent, store)
            case "agents", "remove":
                anyio.run(_remove, said, lent, store)
            case "agents", _:
                anyio.run(_list, said, lent, store)
            case _, "reset":
                _reset(said, lent, store)
            case _:
                _code(said, lent, store)
    return 0


async def _add(said: argparse.Namespace, lent: Lent, store: Store) -> None:
    if not NAME.fullmatch(said.agent):
        raise UsageError(f"{said.agent!r} is no name; letters, digits, '.', '_' and '-' can be in one")
    now = lent.clock.now()
    record = DockAgent(
        id=said.agent,
        name=said.agent,
        description=said.description,
        privacy=said.privacy,
        capabilities=tuple(said.cap),
        skills=tuple(said.skill),
        created_at=now,
        updated_at=now,
    )
    async with lent.mailbox() as mailbox:
        key = await people.enter(store, mailbox, record)
    _say(said, {"agentId": record.id, "apiKey": key}, key, done=_KEY_LOST.format(record.id))


async def _remove(said: argparse.Namespace, lent: Lent, store: Store) -> None:
    if not store.remove(said.agent):
        raise _unknown(said.agent)
    async with lent.mailbox() as mailbox:
        await mailbox.dismiss(said.agent)


async def _list(said: argparse.Namespace, lent: Lent, store: Store) -> None:
    async with lent.mailbox() as mailbox:
        entries = {entry.agent.id: entry for entry in await mailbox.agents()}
    rows = []
    for record in store.agents():
        entry = entries.get(record.id)
        kind = entry.status.kind if entry else StatusKind.OFFLINE
        status = WORDS[kind]
        rows.append({"agentId": record.id, "status": status, "waiting": entry.queued if entry else 0})
    lines = [f"{row['agentId']}  {row['status']}  {row['waiting']} waiting" for row in rows]
    _say(said, {"agents": rows}, "\n".join(lines) or "no agents; `relaykit dock agents add NAME` makes one")


def _reset(said: argparse.Namespace, lent: Lent, store: Store) -> None:
    if store.agent(said.agent) is None:
        raise _unknown(said.agent)
    key, now = new_key(), lent.clock.now()
    store.replace_keys(said.agent, digest(key), now, now)
    _say(said, {"agentId": said.agent, "apiKey": key}, key, done=_KEY_LOST.format(said.agent))


def _code(said: argparse.Namespace, lent: Lent, store: Store) -> None:
    if store.agent(said.agent) is None:
        raise _unknown(said.agent)
    code = new_code()
    store.add_code(said.agent, digest(code), lent.clock.now() + CODE_SECONDS)
    _say(said, {"agentId": said.agent, "claimCode": code}, code)


def _say(said: argparse.Namespace, document: dict[str, Any], text: str, *, done: str = "") -> None:
    """Write what there is to say; ``done`` is what whoever cannot be told it has to know."""
    try:
        sys.stdout.write((json.dumps(document) if said.json else text) + "\n")
        sys.stdout.flush()
    except OSError as error:
        if not done:
            raise
        raise RelaykitError(f"standard output cannot be written ({error.strerror}); {done}") from error


def _unknown(agent: str) -> NotFoundError:
    return NotFoundError(f"the dock has no agent {agent!r}; `relaykit dock agents` lists them")
