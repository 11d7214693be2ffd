"""The tools for a program that speaks their protocol over its own pipe: what ``/mcp`` does, without HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio

from relaykit.server import jsonrpc
from relaykit.server.jsonrpc import INTERNAL_ERROR, INVALID_REQUEST, Call, Read, RpcError
from relaykit.server.mcp import McpServer
from relaykit.server.tools import TOOLS
from relaykit.server.visits import Visit, give_up

if TYPE_CHECKING:
    from relaykit.relay.services import Services
    from relaykit.server.passes import Caller

Message = Mapping[str, Any]


class PipedTools:
    """Answers what the program of one session says to the tools; the session itself says who it is."""

    def __init__(self, caller: Caller, services: Services, closing: anyio.Event) -> None:
        self._caller = caller
        self._services = services
        self._closing = closing
        self._mcp = McpServer(TOOLS)
        self._visits: list[Visit] = []

    @asynccontextmanager
    async def answered(self, message: Message) -> AsyncIterator[Message | None]:
        """Yield what is answered to one message of JSON-RPC, None to a notification; the body hands it over.

        Where the body fails or is cancelled nobody took the answer, as when a client of ``/mcp`` hangs up.
        """
        read = jsonrpc.understood(message)
        visit = Visit(self._caller, self._services, self._closing, anyio.sleep_forever)
        self._visits.append(visit)
        try:
            yield await self._answer(read, visit)
        except BaseException:
            visit.leave()
            raise
        finally:
            self._visits.remove(visit)
            await self._end(visit)

    async def _answer(self, read: Read, visit: Visit) -> Message | None:
        give_up(self._visits, self._caller, read)
        if not read.calls:  # the program has answered, and was asked nothing
            return None
        (call,) = read.calls
        if self._caller.requests.take():
            return _refused(call, INVALID_REQUEST, "too many calls; wait a moment")
        try:
            return await self._mcp.reply(call, visit.desk)
        except Exception as error:  # noqa: BLE001 - as in _tell
            self._tell("a tool failed", error)
            return _refused(call, INTERNAL_ERROR, "the relay failed at it, and has told why where it runs")

    async def _end(self, visit: Visit) -> None:
        try:
            await visit.end()
        except Exception as error:  # noqa: BLE001 - as in _tell
            self._tell("what follows the answer of a tool failed", error)

    def _tell(self, what: str, error: Exception) -> None:
        """Tell whoever runs the relay: a tool that fails must not end the session that calls it."""
        self._services.report(f"{self._caller.name}: {what}: {type(error).__name__}: {error}")


def _refused(call: Call | RpcError, code: int, why: str) -> Message | None:
    if isinstance(call, Call) and call.is_notification:
        return None
    return jsonrpc.failure(RpcError(code, why), call.id)
