"""The routes of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relaykit.model import new_id
from relaykit_signaldock.dock import people, schemas, shapes
from relaykit_signaldock.dock.attachments import named
from relaykit_signaldock.dock.envelope import WireError, good, missing
from relaykit_signaldock.dock.extraction import mentions
from relaykit_signaldock.dock.posting import between, post, visible
from relaykit_signaldock.dock.records import PLAIN
from relaykit_signaldock.dock.routing import conversation_of
from relaykit_signaldock.dock.schemas import described, many, record
from relaykit_signaldock.dock.stream import EventStream, arrival

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.responses import Response

    from relaykit.model import InboxItem
    from relaykit_signaldock.dock.call import Call

_PAGE = 200
_BULK = 1000
_PINS = 50
_PAGE_OF = record({"messages": many(schemas.MESSAGE)})
_TAKEN = record({"acknowledged": schemas.COUNT, "messageIds": many(schemas.TEXT)})
_PINNED = record({"messageId": schemas.TEXT, "pinned": schemas.FLAG})


@described(
    record({"message": schemas.MESSAGE}),
    status=201,
    takes=schemas.body({"toAgentId": schemas.TEXT, "content": schemas.TEXT}, schemas.SAID),
    asks=[schemas.IDEMPOTENCY],
)
async def send(call: Call) -> Response:
    """Send a message to an agent."""
    body, me = await call.body(), call.me
    to, content = body.text("toAgentId"), body.text("content")
    if to == me and not content:
        return await _sign_of_life(call)
    if not await people.is_known(call.dock, to):
        raise missing("AGENT", to)
    return await post(call, body, between(me, to), sorted({me, to}), named(call, body))


@described(_PAGE_OF, asks=schemas.WAITING)
async def peek(call: Call) -> Response:
    """Look at what is not acknowledged; nothing changes."""
    shown, _ = await _page(call, await _after(call) or 0)
    return good({"messages": shown})


@described(_PAGE_OF, asks=schemas.WAITING)
async def poll(call: Call) -> Response:
    """Get what has not been polled yet; with ``since`` what came after that."""
    since, me = await _after(call), call.me
    shown, last = await _page(call, call.dock.store.polled(me) if since is None else since)
    if shown:
        call.dock.store.set_polled(me, last)
    return good({"messages": shown})


@described(_TAKEN, takes=schemas.body({"messageIds": {"type": "array", "items": schemas.TEXT, "maxItems": _BULK}}))
async def acknowledge(call: Call) -> Response:
    """Acknowledge messages; an id that is not known, or no longer, is no error."""
    taken = await _take(call, (await call.body()).texts("messageIds", most=_BULK))
    return good({"acknowledged": len(taken), "messageIds": list(taken)})


@described(_TAKEN)
async def acknowledge_one(call: Call) -> Response:
    """Acknowledge a message."""
    await visible(call.dock, call.me, call.path())
    taken = await _take(call, [call.path()])
    return good({"acknowledged": len(taken), "messageIds": list(taken)})


@described(record({"message": schemas.MESSAGE}))
async def read(call: Call) -> Response:
    """Read a message that the caller sent or got."""
    message = await visible(call.dock, call.me, call.path())
    trace = await call.dock.mailbox.trace(message.id)
    own = [one for one in trace.deliveries if one.recipient == call.me] or list(trace.deliveries)
    said = call.dock.store.annotations([message.id]).get(message.id, PLAIN)
    return good({"message": shapes.message(message, delivery=own[0] if own else None, said=said)})


@described(_PINNED)
async def pin(call: Call) -> Response:
    """Pin a message to its conversation, for all who take part in it."""
    message = await visible(call.dock, call.me, call.path())
    if len(call.dock.store.pinned(message.thread)) >= _PINS:
        raise WireError("E_VALIDATION_CONSTRAINT", f"at most {_PINS} messages are pinned to a conversation")
    call.dock.store.pin(message.thread, message.id)
    return good({"messageId": message.id, "pinned": True})


@described(_PINNED)
async def unpin(call: Call) -> Response:
    """Take a pin away."""
    message = await visible(call.dock, call.me, call.path())
    call.dock.store.unpin(message.thread, message.id)
    return good({"messageId": message.id, "pinned": False})


@described(record({"unreadTotal": schemas.COUNT, "conversations": schemas.UNREAD}))
async def unread_summary(call: Call) -> Response:
    """Count what is not acknowledged, by conversation and by sender."""
    items = await call.dock.mailbox.unread(call.me, limit=_BULK)
    counts: dict[tuple[str, str], int] = {}
    for item in items:
        who = (item.message.thread, item.message.sender)
        counts[who] = counts.get(who, 0) + 1
    rows = [
        {"conversationId": thread, "fromAgentId": name, "unreadCount": count}
        for (thread, name), count in counts.items()
    ]
    return good({"unreadTotal": len(items), "conversations": rows})


@described(schemas.TEXT, streams=True)
async def stream(call: Call) -> EventStream:
    """Get what arrives as it arrives, after what is not acknowledged."""
    return EventStream(call.dock, call.agent, call.request.headers.get("last-event-id"))


async def _sign_of_life(call: Call) -> Response:
    """Take an empty message to oneself for what clients mean by it; it is not kept."""
    await call.dock.presence.beat(call.me)
    now = shapes.moment(call.dock.clock.now())
    ends = {"fromAgentId": call.me, "toAgentId": call.me, "conversationId": between(call.me, call.me)}
    message = {"id": new_id(), **ends, "content": "", "contentType": "text", "status": "read", "createdAt": now}
    return good({"message": message}, status=201)


async def _take(call: Call, ids: Collection[str]) -> Collection[str]:
    return await call.dock.mailbox.take(call.me, ids, "acknowledged to the dock")


async def _page(call: Call, after: int) -> tuple[list[dict[str, Any]], int]:
    """Return a page of what waits after an arrival number, and the number that it ends with."""
    limit, me, moment = call.number("limit", 50), call.me, _moment(call)
    mentioned = call.said("mentioned")
    shown: list[dict[str, Any]] = []
    while len(shown) < limit:
        items = await call.dock.mailbox.unread(me, after=after, limit=limit if not mentioned and not moment else _PAGE)
        said = call.dock.store.annotations([item.message.id for item in items]) if items else {}
        for item in items:
            after = item.delivery.id
            shape = shapes.message(item.message, delivery=item.delivery, said=said.get(item.message.id, PLAIN))
            if (moment is None or item.message.created_at > moment) and _is_meant(item, shape, mentioned):
                shown.append(shape)
            if len(shown) == limit:
                break
        if not items:
            break
    return shown, after


def _is_meant(item: InboxItem, shape: dict[str, Any], mentioned: str | None) -> bool:
    """Whether a message is one that mentions someone: a direct one mentions whom it is to."""
    if mentioned is None:
        return True
    if conversation_of(item.message.to) is None and mentioned == item.delivery.recipient:
        return True
    return mentions(shape.get("metadata", {}), mentioned)


async def _after(call: Call) -> int | None:
    """Return the arrival number of the message that ``since`` names; an unknown one is the beginning."""
    since = call.said("since")
    if since is None or shapes.instant(since) is not None:
        return None
    return await arrival(call.dock, call.me, since) or 0


def _moment(call: Call) -> float | None:
    after, since = call.moment("after"), call.said("since")
    return shapes.instant(since or "") if after is None else after
