"""The Model Context Protocol, as far as a server of tools needs it.

The official SDK would do it, and cost every relay 0.6 s and 40 MiB; its client is the peer in the tests. Here are the
tools, and the revisions that begin with a handshake, whose version is negotiated as the specification says: the
client's, where it is known here, else the newest that is. ``modern`` has the revision that has no handshake.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct

import relaykit
from relaykit.server import jsonrpc
from relaykit.server.jsonrpc import INVALID_PARAMS, METHOD_NOT_FOUND, Call, Read, RpcError

VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Those that begin with a handshake, newest first."""
WITHOUT_HEADER = "2025-03-26"
"""What a client speaks that does not say it with every request."""
LAST_WITH_BATCHES = "2025-03-26"
"""Later versions have one call in a body."""
INSTRUCTIONS = (
    "The relay carries messages between you, other agents and people. What you write at the end of a turn is the answer "
    "to the message that began it: nothing needs to be called for that. Use these tools to ask others, to look into your "
    "inbox and threads, and to say how a task goes."
)

NEVER_PUT_OFF = {"anthropic/alwaysLoad": True}
"""The ``_meta`` of a tool by which Claude Code offers it from the first request on. Tools without it its model has to look
up before their first call. It says so of a server, too, but that keeps the session from beginning until the server has
answered; of a tool, only the first turn waits (2.1.248 and 2.1.327)."""

C = TypeVar("C")


class ToolResult(Struct, frozen=True, kw_only=True):
    """What a tool says."""

    text: str
    is_error: bool = False
    """It could not be done; the text says why, and what to do about it."""


class Tool(Struct, Generic[C], frozen=True, kw_only=True):
    """A tool as clients see it, and what it does for a caller."""

    name: str
    description: str
    schema: Mapping[str, Any]
    """JSON Schema of its arguments."""
    run: Callable[[C, Mapping[str, Any]], Awaitable[ToolResult]]
    reads: bool = False
    """It changes nothing."""

    def described(self) -> dict[str, Any]:
        """Return it as ``tools/list`` has it."""
        hints = {"readOnlyHint": self.reads, "destructiveHint": False, "openWorldHint": False}
        return {
            "name": self.name,
            "description": self.description,
            "inputSchema": self.schema,
            "annotations": hints,
            "_meta": NEVER_PUT_OFF,
        }


class McpServer(Generic[C]):
    """Answers the bodies that clients send."""

    def __init__(self, tools: Sequence[Tool[C]]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    async def answer(self, read: Read, caller: Callable[[Call], C]) -> bytes:
        """Return what is answered to what stood in a body, empty where nothing is; ``caller`` makes each call's."""
        answers = [one for call in read.calls if (one := await self.reply(call, caller)) is not None]
        return jsonrpc.write(answers, is_batch=read.is_batch)

    async def reply(self, call: Call | RpcError, caller: Callable[[Call], C]) -> dict[str, Any] | None:
        """Return what is answered to one call, None where that is nothing."""
        if isinstance(call, RpcError):
            return None if call.of_notification else jsonrpc.failure(call)
        if call.is_notification:
            return None
        try:
            return jsonrpc.result(call.id, await self._result(call, caller))
        except RpcError as error:
            return jsonrpc.failure(error, call.id)

    async def _result(self, call: Call, caller: Callable[[Call], C]) -> Mapping[str, Any]:
        match call.method:
            case "initialize":
                return initialized(call.params)
            case "ping":
                return {}
            case "tools/list":
                return self.listed()
            case "tools/call":
                return await self.call(call.params, caller(call))
            case _:
                raise RpcError(METHOD_NOT_FOUND, f"there is no method {call.method[:100]!r} here")

    def listed(self) -> Mapping[str, Any]:
        """Return what there is to call, always in the same order."""
        return {"tools": [tool.described() for tool in self._tools.values()]}

    async def call(self, params: Mapping[str, Any], caller: C) -> Mapping[str, Any]:
        """Call a tool; RpcError where there is none of that name."""
        name, arguments = params.get("name"), params.get("arguments") or {}
        tool = self._tools.get(name) if isinstance(name, str) else None
        if tool is None:
            raise RpcError(INVALID_PARAMS, f"there is no tool {str(name)[:100]!r}; there are {', '.join(self._tools)}")
        if not isinstance(arguments, Mapping):
            raise RpcError(INVALID_PARAMS, f"{name}: arguments is an object")
        said = await tool.run(caller, arguments)
        return {"content": [{"type": "text", "text": said.text}], "isError": said.is_error}


def initialized(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answer to the handshake."""
    wanted = params.get("protocolVersion")
    return {
        "protocolVersion": wanted if wanted in VERSIONS else VERSIONS[0],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": "relaykit", "title": "relaykit", "version": relaykit.__version__},
        "instructions": INSTRUCTIONS,
    }
