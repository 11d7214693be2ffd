"""The routes of agents."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from relaykit.errors import NotFoundError, RefusedError
from relaykit.model import NAME
from relaykit_signaldock.dock import endpoints, people, schemas, shapes
from relaykit_signaldock.dock.envelope import WireError, good, missing
from relaykit_signaldock.dock.extraction import mentions
from relaykit_signaldock.dock.records import CLASSES, TIERS, DockAgent
from relaykit_signaldock.dock.schemas import described, many, record

if TYPE_CHECKING:
    from starlette.responses import Response

    from relaykit_signaldock.dock.call import Call, Said
    from relaykit_signaldock.dock.dock import Dock

_SECRET = {"webhookSecret": schemas.TEXT}
_QUEUE = 1000
"""No more can wait for an agent by default."""
_ORDER = {"messages": "agentId", "created": "createdAt", "last_seen": "lastSeen"}
_FILTERS = (
    *(schemas.asked(name, schemas.TEXT) for name in ("capability", "skill", "class", "status", "privacy")),
    schemas.asked("sort", {"type": "string", "enum": list(_ORDER)}),
    schemas.LIMIT,
    schemas.PAGE,
)


@described(
    record({"agent": schemas.AGENT, "apiKey": schemas.TEXT, "connectionKit": schemas.KIT}, _SECRET),
    status=201,
    takes=schemas.body({"agentId": schemas.NAMED}, schemas.DESCRIPTION),
)
async def register(call: Call) -> Response:
    """Enter an agent; its key is shown this once."""
    open_to_all = call.dock.settings.open_registration
    if not open_to_all and (call.caller is None or not call.caller.is_person):
        raise WireError(
            "E_AUTH_FORBIDDEN" if call.caller else "E_AUTH_UNAUTHORIZED",
            "agents are registered by the person at the dock's machine: `relaykit dock agents add NAME` there, or this "
            "request with the token of that home",
        )
    body = await call.body()
    now = call.dock.clock.now()
    name = body.text("agentId")
    if not NAME.fullmatch(name):
        raise WireError("E_VALIDATION_INVALID_FORMAT", f"{name[:80]!r} is no name of an agent")
    record, secret = _called(
        call, _described(DockAgent(id=name, name=name, created_at=now, updated_at=now), body), body
    )
    try:
        key = await people.enter(call.dock.store, call.dock.mailbox, record)
    except RefusedError as error:
        raise WireError("E_CONFLICT_ALREADY_EXISTS", str(error)) from error
    shape = shapes.agent(record, "offline", None)
    return good({"agent": shape, "apiKey": key, "connectionKit": kit(call, name, key), **secret}, status=201)


async def leave(dock: Dock, id: str) -> bool:
    """Take an agent out, its keys first; return whether there was one."""
    was = dock.store.remove(id)
    try:
        await dock.mailbox.dismiss(id)
    except NotFoundError:
        return was
    finally:
        dock.presence.forget(id)
    return True


@described(
    record({"agents": many(schemas.AGENT), "items": many(schemas.AGENT), "total": schemas.COUNT, **schemas.PAGED}),
    asks=_FILTERS,
)
async def listed(call: Call) -> Response:
    """List the agents, those of this machine's relays too."""
    wanted = {name: call.said(name) for name in ("capability", "skill", "class", "status", "privacy")}
    searching = wanted["capability"] is not None or wanted["skill"] is not None
    found = await people.everyone(call.dock, call.caller, searching=searching)
    found = [one for one in found if _fits(one, wanted)]
    order = _ORDER[call.chosen("sort", "messages", *_ORDER)]
    found.sort(key=lambda one: str(one.get(order, "")), reverse=order != "agentId")
    limit, page = call.number("limit", 50), call.number("page", 1, most=10**6)
    part = found[(page - 1) * limit : page * limit]
    return good({"agents": part, "items": part, "total": len(found), "page": page, "limit": limit})


@described(record({"agents": many(schemas.AGENT)}))
async def online(call: Call) -> Response:
    """List the agents that are online."""
    found = await people.everyone(call.dock, call.caller, searching=False)
    return good({"agents": [one for one in found if one["status"] != "offline"]})


@described(record({"agent": schemas.AGENT}))
async def read(call: Call) -> Response:
    """Read an agent."""
    return good({"agent": await _known(call)})


@described(record({"card": schemas.CARD}))
async def card(call: Call) -> Response:
    """Read what everyone may see of an agent."""
    return good({"card": shapes.card(await _known(call))})


@described(record({"agentId": schemas.TEXT, "online": schemas.FLAG, "status": schemas.STATUS}))
async def is_online(call: Call) -> Response:
    """Whether an agent is online."""
    status = (await _known(call))["status"]
    return good({"agentId": call.path(), "online": status != "offline", "status": status})


@described(record({"agent": schemas.AGENT}, _SECRET), takes=schemas.body({}, schemas.DESCRIPTION))
async def update(call: Call) -> Response:
    """Change what is known of an agent; where it names an endpoint and no secret, one is made, and shown this once."""
    record, body = call.own(), await call.body()
    record, secret = _called(call, _described(record, body), body)
    record = replace(record, updated_at=call.dock.clock.now())
    await call.dock.mailbox.enroll(people.directory_agent(record))
    call.dock.store.update(record)
    call.dock.webhooks.look()
    return good({"agent": await _known(call), **secret})


@described(record({"deleted": {"const": True}}))
async def remove(call: Call) -> Response:
    """Take an agent out; its keys are void at once."""
    call.may_be(call.path())
    if not await leave(call.dock, call.path()):
        raise missing("AGENT", call.path())
    return good({"deleted": True})


@described(
    record({"status": schemas.STATUS, "timestamp": schemas.MOMENT}), takes=schemas.body({}, {"status": schemas.STATUS})
)
async def heartbeat(call: Call) -> Response:
    """Give a sign of life."""
    record = call.own()
    body = await call.body()
    await call.dock.presence.say(record.id, body.one_of("status", "online", _STATUSES))
    return good({"status": body.text("status", "online"), "timestamp": shapes.moment(call.dock.clock.now())})


@described(record({"agentId": schemas.TEXT, "status": schemas.STATUS}), takes=schemas.body({"status": schemas.STATUS}))
async def set_status(call: Call) -> Response:
    """Say how an agent is."""
    record = call.own()
    word = (await call.body()).one_of("status", "", _STATUSES)
    await call.dock.presence.say(record.id, word)
    return good({"agentId": record.id, "status": word})


@described(
    record({"unreadTotal": schemas.COUNT, "conversations": schemas.UNREAD, "actionItems": many(schemas.MESSAGE)})
)
async def inbox(call: Call) -> Response:
    """Count what waits for an agent, by conversation."""
    record = call.own()
    items = await call.dock.mailbox.unread(record.id, limit=_QUEUE)
    counts: dict[str, int] = {}
    for item in items:
        counts[item.message.thread] = counts.get(item.message.thread, 0) + 1
    messages = [shapes.message(item.message, delivery=item.delivery) for item in items]
    return good(
        {
            "unreadTotal": len(items),
            "conversations": [{"conversationId": thread, "unreadCount": count} for thread, count in counts.items()],
            "actionItems": [one for one in messages if _asks(one, record.id)],
        }
    )


def kit(call: Call, id: str, key: str | None) -> dict[str, Any]:
    """Return what a client needs in order to connect."""
    base = call.dock.settings.base_url or str(call.request.base_url).rstrip("/")
    paths = {"pollEndpoint": "/messages/poll/new", "sseEndpoint": "/messages/stream"}
    shown = key or "YOUR_API_KEY"
    return {
        "apiBase": base,
        "authHeader": f"Bearer {shown}",
        **paths,
        "claimUrl": f"{base}/agents/{id}/bootstrap-key",
        "docsUrl": f"{base}/openapi.json",
        "configTemplate": {"agentId": id, "apiKey": shown, "apiBaseUrl": base, **paths},
    }


@described(record({"connectionKit": schemas.KIT}))
async def connection_kit(call: Call) -> Response:
    """Read what a client needs in order to connect, without the key."""
    return good({"connectionKit": kit(call, call.own().id, None)})


_STATUSES = frozenset({"online", "offline", "busy"})


async def _known(call: Call) -> dict[str, Any]:
    found = await people.find(call.dock, call.caller, call.path())
    if found is None:
        raise missing("AGENT", call.path())
    return found


def _described(record: DockAgent, body: Said) -> DockAgent:
    return replace(
        record,
        name=body.text("name", record.name, schemas.NAME_CHARACTERS),
        description=body.text("description", record.description, schemas.DESCRIPTION_CHARACTERS),
        kind=body.one_of("class", record.kind, CLASSES),
        privacy=body.one_of("privacyTier", record.privacy, TIERS),
        capabilities=body.texts("capabilities", record.capabilities, 100),
        skills=body.texts("skills", record.skills, 100),
    )


def _called(call: Call, record: DockAgent, body: Said) -> tuple[DockAgent, dict[str, str]]:
    """Return the record with the endpoint that is named, and the secret where one was made."""
    if not body.has("endpoint") and not body.has("webhookSecret"):
        return record, {}
    endpoint = body.text("endpoint", record.endpoint, endpoints.MOST_CHARACTERS)
    if not endpoint:
        return replace(record, endpoint="", secret=""), {}
    if endpoint != record.endpoint:
        endpoints.check(endpoint, call.dock.settings.webhooks)
    said = body.text("webhookSecret", record.secret, schemas.SECRET_CHARACTERS)
    made = said or f"whsec_{secrets.token_hex(32)}"
    return replace(record, endpoint=endpoint, secret=made), {} if said else {"webhookSecret": made}


def _fits(shape: dict[str, Any], wanted: dict[str, str | None]) -> bool:
    lists = {"capability": "capabilities", "skill": "skills"}
    for name, value in wanted.items():
        if value is None:
            continue
        has = shape.get(lists.get(name, "privacyTier" if name == "privacy" else name))
        if value not in has if isinstance(has, list) else value != has:
            return False
    return True


def _asks(shape: dict[str, Any], agent: str) -> bool:
    metadata = shape.get("metadata", {})
    return bool(metadata.get("directives")) or mentions(metadata, agent)
