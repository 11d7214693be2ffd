"""The paths of the edge. All stand behind the guard, which has said who calls and has read the body."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import relaykit
from relaykit.errors import RefusedError, RelaykitError, StoreError
from relaykit.plugin import CALLER
from relaykit.server import hooks, jsonrpc, modern
from relaykit.server.desk import Desk
from relaykit.server.jsonrpc import Call, Read
from relaykit.server.mcp import LAST_WITH_BATCHES, VERSIONS, WITHOUT_HEADER, McpServer
from relaykit.server.tools import TOOLS
from relaykit.server.visits import Visit, give_up

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from relaykit.relay.services import Services
    from relaykit.server.passes import Caller

_SMALL = 2**20
"""Bytes that a hook may report."""


def application(services: Services, closing: anyio.Event) -> Starlette:
    """Return the edge's application for one relay."""
    edge = _Edge(services, closing)
    return Starlette(
        routes=[
            Route("/mcp", edge.mcp, methods=["POST"]),
            Route("/hooks/{name}", edge.hook, methods=["POST"]),
            Route("/health", edge.health, methods=["GET"]),
        ],
    )


class _Edge:
    def __init__(self, services: Services, closing: anyio.Event) -> None:
        self._services = services
        self._closing = closing
        self._mcp = McpServer(TOOLS)
        self._visits: list[Visit] = []

    async def mcp(self, request: Request) -> Response:
        """JSON-RPC in, its answer out; there is no stream to GET."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _refused(415, "the body has to be application/json")
        read = jsonrpc.read(await request.body())
        caller = _caller(request)
        if seconds := caller.requests.take(max(0, len(read.calls) - 1)):  # the guard has let one through
            return _refused(429, "too many calls; wait a moment", {"retry-after": str(int(seconds) + 1)})
        visit = Visit(caller, self._services, self._closing, _disconnected(request))
        self._visits.append(visit)
        try:
            status, answer = await self._answer(request, read, visit)
        finally:
            self._visits.remove(visit)
        if visit.desks and await request.is_disconnected():
            visit.leave()
        media_type = "application/json" if answer else None
        return Response(answer, status, media_type=media_type, background=BackgroundTask(visit.conclude))

    async def _answer(self, request: Request, read: Read, visit: Visit) -> modern.HttpAnswer:
        version = request.headers.get("mcp-protocol-version", WITHOUT_HEADER)
        give_up(self._visits, visit.caller, read)
        if version in VERSIONS or _begins(read):
            if read.is_batch and version > LAST_WITH_BATCHES:
                return modern.no_batch(version)
            if read.flaw is not None:
                return modern.refused(read.flaw)
            answer = await self._mcp.answer(read, visit.desk)
            return modern.HttpAnswer(200 if answer else 202, answer)
        if version == modern.VERSION:
            return await modern.answer(self._mcp, read, request.headers, visit.desk)
        return modern.unsupported(version, read)

    async def hook(self, request: Request) -> Response:
        """What a provider's hook sends, into the events of the session whose token it bears; what that tells it, back."""
        caller = _caller(request)
        if caller.session is None:
            return _refused(403, "hooks report of a session, with that session's token")
        body = await request.body()
        if len(body) > _SMALL:
            return _refused(413, f"a hook reports at most {_SMALL} bytes")
        name = request.path_params["name"]
        try:
            said = hooks.read(name, body)
        except RefusedError as error:
            return _refused(400, str(error))
        caller.session.tell(hooks.note(name, said))
        if (answer := caller.session.answer) is None:
            return JSONResponse({})
        desk = Desk(caller, self._services, self._closing, _disconnected(request))
        return await self._told(desk, partial(answer, name, said))

    async def _told(self, desk: Desk, answer: Callable[[], Awaitable[Mapping[str, Any]]]) -> Response:
        try:
            with desk.place():
                told = await desk.hear_out(answer)
        except RelaykitError as error:
            return _refused(409, str(error))
        return _refused(503, "the relay stops") if told is None else JSONResponse(told)

    async def health(self, request: Request) -> Response:
        """That the relay lives, and can use its store; which agents it has is for the person, as agents look for others."""
        try:
            relays = await self._services.mailbox.relays()
        except StoreError as error:
            return _refused(503, str(error))
        agents = [agent.id for agent in self._services.config.agents]
        told = {} if _caller(request).is_agent else {"agents": agents}
        return JSONResponse({"status": "ok", "version": relaykit.__version__, "relays": len(relays), **told})


def _begins(read: Read) -> bool:
    """Whether a request may come in any version: a handshake, which negotiates it, and is never in a batch."""
    return not read.is_batch and any(isinstance(call, Call) and call.method == "initialize" for call in read.calls)


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope[CALLER]
    return caller


def _disconnected(request: Request) -> Callable[[], Awaitable[None]]:
    async def disconnected() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return disconnected


def _refused(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"message": text}}, status_code=status, headers=headers)
