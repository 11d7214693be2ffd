"""The paths of the dock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, compile_path

import relaykit
from relaykit.errors import ConflictError, FullError, NotFoundError, RefusedError, StoreError, UnknownAddressError
from relaykit_signaldock.dock import (
    agents,
    attachments,
    conversations,
    dead_letters,
    looking,
    messages,
    signing,
    stream,
)
from relaykit_signaldock.dock.call import Call
from relaykit_signaldock.dock.envelope import WireError, good
from relaykit_signaldock.dock.openapi import Handler, Way, openapi
from relaykit_signaldock.dock.schemas import TEXT, described, record

if TYPE_CHECKING:
    from starlette.requests import Request

    from relaykit.plugin import App, Scope
    from relaykit_signaldock.dock.dock import Dock


@described(record({"status": TEXT, "version": TEXT}))
async def health(call: Call) -> Response:
    """Whether the dock lives, and can use its stores."""
    await call.dock.mailbox.relays()
    call.dock.store.agent("")
    return good({"status": "ok", "version": relaykit.__version__})


WAYS = (
    Way("GET", "/", health, is_open=True),
    Way("GET", "/health", health, is_open=True),
    Way("POST", "/agents", agents.register, is_open=True),
    Way("GET", "/agents", agents.listed),
    Way("GET", "/agents/online", agents.online),
    Way("GET", "/agents/{id}", agents.read),
    Way("PUT", "/agents/{id}", agents.update),
    Way("DELETE", "/agents/{id}", agents.remove),
    Way("POST", "/agents/{id}/heartbeat", agents.heartbeat),
    Way("PUT", "/agents/{id}/status", agents.set_status),
    Way("GET", "/agents/{id}/online", agents.is_online),
    Way("GET", "/agents/{id}/card", agents.card),
    Way("GET", "/agents/{id}/inbox", agents.inbox),
    Way("GET", "/agents/{id}/connection-kit", agents.connection_kit),
    Way("GET", "/agents/{id}/dead-letters", dead_letters.listed),
    Way("POST", "/agents/{id}/dead-letters/{message}/retry", dead_letters.retry),
    Way("POST", "/agents/{id}/generate-key", signing.generate),
    Way("POST", "/agents/{id}/rotate-key", signing.rotate),
    Way("POST", "/agents/{id}/claim-code", signing.claim_code),
    Way("POST", "/agents/{id}/bootstrap-key", signing.bootstrap, is_open=True),
    Way("POST", "/messages", messages.send),
    Way("GET", "/messages/peek", messages.peek),
    Way("GET", "/messages/poll/new", messages.poll),
    Way("POST", "/messages/ack", messages.acknowledge),
    Way("GET", "/messages/unread-summary", messages.unread_summary),
    Way("GET", "/messages/search", looking.search),
    Way("GET", "/messages/stream", messages.stream),
    Way("GET", "/messages/stream/status", stream.status, is_open=True),
    Way("GET", "/messages/{id}", messages.read),
    Way("POST", "/messages/{id}/ack", messages.acknowledge_one),
    Way("POST", "/messages/{id}/pin", messages.pin),
    Way("DELETE", "/messages/{id}/pin", messages.unpin),
    Way("PUT", "/attachments/{sha256}", attachments.upload),
    Way("GET", "/messages/{id}/attachments/{sha256}", attachments.download),
    Way("POST", "/conversations", conversations.create),
    Way("GET", "/conversations", conversations.listed),
    Way("GET", "/conversations/{id}", conversations.read),
    Way("GET", "/conversations/{id}/messages", conversations.messages),
    Way("POST", "/conversations/{id}/messages", conversations.send),
    Way("GET", "/conversations/{id}/digest", looking.digest),
    Way("GET", "/conversations/{id}/pins", conversations.pins),
    Way("POST", "/conversations/{id}/participants", conversations.add_participants),
    Way("GET", "/capabilities", looking.capabilities),
    Way("GET", "/skills", looking.skills),
    Way("GET", "/classifications", looking.classifications),
    Way("GET", "/privacy-tiers", looking.privacy_tiers),
)
"""In the order in which they are looked through: fixed paths before those with a name in them."""


_BUSY = frozenset({"/messages", "/messages/peek", "/messages/ack"})
"""What clients ask for all the time is looked for first; these paths are fixed, so that their place does not matter."""


_DOCUMENT = "/openapi.json"
_OPEN = [(way.method, compile_path(way.path)[0]) for way in WAYS if way.is_open] + [("GET", compile_path(_DOCUMENT)[0])]


def is_open(scope: Scope) -> bool:
    """Whether no key is needed for a request."""
    return any(scope["method"] == method and path.fullmatch(scope["path"]) for method, path in _OPEN)


def stream_token(scope: Scope) -> bytes:
    """Return the key in the query, which clients that cannot set headers on a stream put there."""
    from urllib.parse import parse_qs  # noqa: PLC0415 - one request in many

    if scope["path"] != "/messages/stream":
        return b""
    return parse_qs(bytes(scope["query_string"])).get(b"token", [b""])[0]


def application(dock: Dock) -> App:
    """Return the dock's application; the guard has said who calls."""
    described = openapi(WAYS)

    async def describe(_request: Request) -> Response:
        return JSONResponse(described)

    busy_first = sorted(WAYS, key=lambda way: way.path not in _BUSY)
    found = [Route(way.path, _endpoint(dock, way.handler), methods=[way.method]) for way in busy_first]
    found.append(Route(_DOCUMENT, describe))
    app = Starlette(routes=found, exception_handlers=_HANDLERS)
    app.router.redirect_slashes = False  # one path has one spelling
    return app


def _endpoint(dock: Dock, handler: Handler) -> Callable[[Request], Awaitable[Any]]:
    async def endpoint(request: Request) -> Any:
        call = Call(dock, request)
        _is_who_it_says(call)
        return await handler(call)

    return endpoint


def _is_who_it_says(call: Call) -> None:
    """Refuse a key under another agent's name: someone has mixed them up."""
    said = call.request.headers.get("x-agent-id") or (call.said("agent_id") if call.said("token") else None)
    if call.caller is not None and not call.caller.is_person and said not in (None, call.caller.name):
        raise WireError("E_AUTH_UNAUTHORIZED", f"that is not the key of {said[:80]!r}")


async def _told(_request: Request, error: Exception) -> Response:
    return _as_wire(error).answer()


_CODES: Mapping[type[Exception], str] = {
    ConflictError: "E_CONFLICT_DUPLICATE",
    FullError: "E_RATE_LIMIT",
    UnknownAddressError: "E_NOT_FOUND_AGENT",
    NotFoundError: "E_NOT_FOUND_RESOURCE",
    RefusedError: "E_VALIDATION_CONSTRAINT",
    StoreError: "E_INTERNAL_DATABASE",
}
"""The first that fits."""


def _as_wire(error: Exception) -> WireError:
    if isinstance(error, WireError):
        return error
    if isinstance(error, HTTPException):
        return WireError("E_NOT_FOUND_RESOURCE", "there is no such path, or it does not take that method")
    for kind, code in _CODES.items():
        if isinstance(error, kind):
            return WireError(code, str(error))
    return WireError("E_INTERNAL_ERROR", "the dock failed; its terminal says more")


_HANDLERS: dict[Any, Any] = dict.fromkeys(
    (WireError, RefusedError, NotFoundError, StoreError, HTTPException, 500), _told
)
