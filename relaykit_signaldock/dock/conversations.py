"""The routes of conversations. What a relay's agent began is one as well: its thread."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from relaykit.model import NAME, new_id
from relaykit_signaldock.dock import people, schemas, shapes
from relaykit_signaldock.dock.attachments import named
from relaykit_signaldock.dock.envelope import WireError, good, missing
from relaykit_signaldock.dock.extraction import mentions
from relaykit_signaldock.dock.posting import between, post, visible
from relaykit_signaldock.dock.records import PLAIN, Conversation
from relaykit_signaldock.dock.schemas import described, many, record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from relaykit.model import Message
    from relaykit_signaldock.dock.call import Call
    from relaykit_signaldock.dock.dock import Dock

MOST_LOOKED_AT = 1000
"""Messages of a conversation that are looked through: the last ones."""
_COMPACT = 200
_MEMBERS = 100
_VISIBILITIES = frozenset({"private", "public", "shared"})
_NAMES = {"type": "array", "items": schemas.TEXT, "maxItems": _MEMBERS}
_ONE = record({"conversation": schemas.CONVERSATION})
_FILTERS = (
    schemas.asked("sort", {"type": "string", "enum": ["asc", "desc"]}),
    schemas.LIMIT,
    schemas.PAGE,
    schemas.asked("offset", schemas.COUNT),
    schemas.AFTER,
    schemas.MENTIONED,
    schemas.asked("compact", {"type": "string", "enum": ["true", "false"]}),
)


@described(
    _ONE,
    status=201,
    takes=schemas.body(
        {"participants": _NAMES},
        {"visibility": {"type": "string", "enum": sorted(_VISIBILITIES)}},
    ),
)
async def create(call: Call) -> Response:
    """Begin a conversation; that of two is always the same."""
    body, me = await call.body(), call.me
    members = sorted({me, *body.texts("participants", most=_MEMBERS)})
    for name in members:
        if not await people.is_known(call.dock, name):
            raise missing("AGENT", name)
    pair = members if len(members) <= 2 else None  # noqa: PLR2004 - a pair
    made = Conversation(
        id=between(pair[0], pair[-1]) if pair else new_id(),
        participants=tuple(members),
        visibility=body.one_of("visibility", "private", _VISIBILITIES),
        created_at=call.dock.clock.now(),
    )
    call.dock.store.add_conversation(made)
    return good({"conversation": await _shape(call, call.dock.store.conversation(made.id) or made)}, status=201)


@described(
    record(
        {
            "conversations": many(schemas.CONVERSATION),
            "items": many(schemas.CONVERSATION),
            "total": schemas.COUNT,
            **schemas.PAGED,
        }
    ),
    asks=[schemas.LIMIT, schemas.PAGE],
)
async def listed(call: Call) -> Response:
    """List the caller's conversations, the latest first."""
    every = call.dock.store.conversations(call.me)
    limit, page = call.number("limit", 50), call.number("page", 1, most=10**6)
    part = [await _shape(call, one) for one in every[(page - 1) * limit : page * limit]]
    return good({"conversations": part, "items": part, "total": len(every), "page": page, "limit": limit})


@described(_ONE)
async def read(call: Call) -> Response:
    """Read a conversation."""
    found = await own(call)
    messages = await call.dock.mailbox.thread(found.id, call.me, limit=MOST_LOOKED_AT)
    return good({"conversation": shapes.conversation(found, messages[-1] if messages else None, len(messages))})


@described(record({"messages": many(schemas.MESSAGE), **schemas.PAGED}), asks=_FILTERS)
async def messages(call: Call) -> Response:
    """Read the messages of a conversation, oldest or newest first, page by page."""
    found = await own(call)
    limit, page = call.number("limit", 50), call.number("page", 1, most=10**6)
    offset = call.number("offset", (page - 1) * limit, most=10**8, least=0)
    newest_first = call.chosen("sort", "asc", "asc", "desc") == "desc"
    plain = newest_first and not call.said("after") and not call.said("mentioned")
    rows = await call.dock.mailbox.thread(
        found.id, call.me, limit=min(offset + limit, MOST_LOOKED_AT) if plain else MOST_LOOKED_AT
    )
    chosen = _chosen(call, rows[::-1] if newest_first else rows)[offset : offset + limit]
    return good({"messages": chosen, "page": page, "limit": limit})


@described(record({"messages": many(schemas.MESSAGE)}))
async def pins(call: Call) -> Response:
    """Read the messages that are pinned to a conversation, those that the caller sent or got, oldest first."""
    found = await own(call)
    rows: list[Message] = []
    for message in call.dock.store.pinned(found.id):
        with suppress(WireError):  # it was swept since, or came before the caller took part
            rows.append(await visible(call.dock, call.me, message))
    return good({"messages": _chosen(call, sorted(rows, key=lambda one: one.created_at))})


@described(
    record({"message": schemas.MESSAGE}),
    status=201,
    takes=schemas.body({"content": schemas.TEXT}, schemas.SAID),
    asks=[schemas.IDEMPOTENCY],
)
async def send(call: Call) -> Response:
    """Send a message to all who take part in a conversation. Whom the body names besides is passed over."""
    found = await own(call)
    body = await call.body()
    return await post(call, body, found.id, found.participants, named(call, body))


@described(
    _ONE,
    takes={"anyOf": [schemas.body({"participants": _NAMES}), schemas.body({"agentId": schemas.TEXT})]},
)
async def add_participants(call: Call) -> Response:
    """Have others take part in a conversation of several."""
    found = await own(call)
    if len(found.participants) <= 2:  # noqa: PLR2004 - a pair
        raise WireError("E_VALIDATION_CONSTRAINT", "a conversation of two stays one; begin another with all of them")
    body = await call.body()
    names = body.texts("participants", most=_MEMBERS) if body.has("participants") else (body.text("agentId"),)
    for name in names:
        if not await people.is_known(call.dock, name):
            raise missing("AGENT", name)
    if len({*found.participants, *names}) > _MEMBERS:
        raise WireError("E_VALIDATION_CONSTRAINT", f"at most {_MEMBERS} take part in a conversation")
    call.dock.store.add_conversation(Conversation(id=found.id, participants=tuple(names)))
    return good({"conversation": await _shape(call, call.dock.store.conversation(found.id) or found)})


async def own(call: Call) -> Conversation:
    """Return a conversation that the caller takes part in."""
    name = call.path()
    found = call.dock.store.conversation(name) or await _of_thread(call.dock, call.me, name)
    if found is None or call.me not in found.participants:
        raise missing("CONVERSATION", name)
    return found


async def _of_thread(dock: Dock, me: str, id: str) -> Conversation | None:
    """Return a thread that was begun elsewhere on this machine as a conversation of whoever spoke in it to the caller."""
    rows = await dock.mailbox.thread(id, me, limit=50)
    if not rows or rows[0].thread != id:
        return None
    names = {me, *(one.sender for one in rows), *(one.to for one in rows if one.sender == me)}
    members = [name for name in names if NAME.fullmatch(name)]
    return Conversation(id=id, participants=tuple(sorted(members)), created_at=rows[0].created_at)


def compact(shape: dict[str, Any]) -> dict[str, Any]:
    """Return a message with the beginning of its text alone."""
    return {**shape, "content": shape["content"][:_COMPACT]}


async def _shape(call: Call, conversation: Conversation) -> dict[str, Any]:
    last = await call.dock.mailbox.thread(conversation.id, call.me, limit=1)
    return shapes.conversation(conversation, last[-1] if last else None)


def _chosen(call: Call, rows: Sequence[Message]) -> list[dict[str, Any]]:
    said = call.dock.store.annotations([one.id for one in rows]) if rows else {}
    found = [shapes.message(one, said=said.get(one.id, PLAIN)) for one in rows]
    if (after := call.moment("after")) is not None:
        # By the time that a client was shown, or the message whose own time it names would come once more.
        found = [one for one in found if (shapes.instant(one["createdAt"]) or 0.0) > after]
    if mentioned := call.said("mentioned"):
        found = [one for one in found if mentions(one.get("metadata", {}), mentioned)]
    if call.said("compact") == "true":
        found = [compact(one) for one in found]
    return found
