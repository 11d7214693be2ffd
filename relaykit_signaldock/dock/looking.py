"""The routes that look through what there is: search, digests, and the registries."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from relaykit_signaldock.dock import people, schemas, shapes
from relaykit_signaldock.dock.conversations import MOST_LOOKED_AT, compact, own
from relaykit_signaldock.dock.envelope import WireError, good
from relaykit_signaldock.dock.records import CLASSES, PLAIN, TIERS
from relaykit_signaldock.dock.schemas import described, many, record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.responses import Response

    from relaykit.model import Message
    from relaykit_signaldock.dock.call import Call

_CONVERSATIONS = 200
"""That a search looks through: the latest ones."""
_RECENT = 10
_QUERY_CHARACTERS = 200
_WORDS = record({"items": many(schemas.TEXT), "total": schemas.COUNT})
_PERSON = record({"agentId": schemas.TEXT, "messageCount": schemas.COUNT}, {"lastMessageAt": schemas.MOMENT})


@described(
    record({"messages": many(schemas.MESSAGE), "total": schemas.COUNT}),
    asks=(schemas.needed("q", {"type": "string", "minLength": 1, "maxLength": _QUERY_CHARACTERS}), schemas.LIMIT),
)
async def search(call: Call) -> Response:
    """Find messages that the caller sent or got in whose text every word of ``q`` stands, the latest first."""
    query = call.said("q")
    if query is None or len(query) > _QUERY_CHARACTERS:
        raise WireError("E_VALIDATION_CONSTRAINT", f"q has to be words of 1 to {_QUERY_CHARACTERS} characters in all")
    words = query.casefold().split()
    found = [one async for one in _looked_through(call) if words and all(word in one.body.casefold() for word in words)]
    found.sort(key=lambda one: one.created_at, reverse=True)
    shown = _shown(call, found[: call.number("limit", 50)])
    return good({"messages": shown, "total": len(found)})


@described(
    record(
        {"conversationId": schemas.TEXT, "messageCount": schemas.COUNT, "participants": many(_PERSON)},
        {
            "firstMessageAt": schemas.MOMENT,
            "lastMessageAt": schemas.MOMENT,
            "recent": many(schemas.MESSAGE),
            "pinned": many(schemas.TEXT),
        },
    )
)
async def digest(call: Call) -> Response:
    """Read a conversation in short: who said how much, when, what is pinned, and the last messages, cut."""
    found = await own(call)
    rows = await call.dock.mailbox.thread(found.id, call.me, limit=MOST_LOOKED_AT)
    counts = Counter(row.sender for row in rows)
    last = {row.sender: shapes.moment(row.created_at) for row in rows}
    people_of = [_person(name, counts[name], last.get(name)) for name in found.participants]
    about: dict[str, Any] = {"conversationId": found.id, "messageCount": len(rows), "participants": people_of}
    if rows:
        about |= {
            "firstMessageAt": shapes.moment(rows[0].created_at),
            "lastMessageAt": shapes.moment(rows[-1].created_at),
            "recent": [compact(shape) for shape in _shown(call, rows[-_RECENT:])],
        }
    pinned = set(call.dock.store.pinned(found.id))
    return good({**about, "pinned": [row.id for row in rows if row.id in pinned]})


@described(_WORDS)
async def capabilities(call: Call) -> Response:
    """List what agents that the caller may know of say that they can do."""
    return _listed(await _said_of_agents(call, "capabilities"))


@described(_WORDS)
async def skills(call: Call) -> Response:
    """List the skills of agents that the caller may know of."""
    return _listed(await _said_of_agents(call, "skills"))


@described(_WORDS)
async def classifications(_call: Call) -> Response:
    """List the classes that an agent may have."""
    return _listed(CLASSES)


@described(_WORDS)
async def privacy_tiers(_call: Call) -> Response:
    """List how private an agent may be."""
    return _listed(TIERS)


async def _looked_through(call: Call) -> AsyncIterator[Message]:
    for conversation in call.dock.store.conversations(call.me)[:_CONVERSATIONS]:
        for message in await call.dock.mailbox.thread(conversation.id, call.me, limit=MOST_LOOKED_AT):
            yield message


def _shown(call: Call, rows: Sequence[Message]) -> list[dict[str, Any]]:
    said = call.dock.store.annotations([row.id for row in rows]) if rows else {}
    return [shapes.message(row, said=said.get(row.id, PLAIN)) for row in rows]


def _person(name: str, count: int, last: str | None) -> dict[str, Any]:
    return {"agentId": name, "messageCount": count, **({} if last is None else {"lastMessageAt": last})}


async def _said_of_agents(call: Call, field: str) -> set[str]:
    found = await people.everyone(call.dock, call.caller, searching=True)
    return {word for one in found for word in one[field]}


def _listed(words: frozenset[str] | set[str]) -> Response:
    return good({"items": sorted(words), "total": len(words)})
