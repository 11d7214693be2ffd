"""What the revision 2026-07-28 of the Model Context Protocol asks of HTTP: every request says all about itself.

The specification calls it modern. There is no handshake: version and abilities of the client stand in each request's
``_meta``, and the headers repeat of the body what somebody on the way may look at, so a request whose headers say
something else is refused. What it calls legacy, everything that begins with ``initialize``, is served beside it at the
same path.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING, Any, NamedTuple

import relaykit
from relaykit.server import jsonrpc
from relaykit.server.jsonrpc import INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, Call, Read, RpcError
from relaykit.server.mcp import INSTRUCTIONS, VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from relaykit.server.mcp import C, McpServer

VERSION = "2026-07-28"
SPOKEN = (VERSION, *VERSIONS)
"""All versions that are spoken here, newest first."""
HEADER_MISMATCH = -32020
UNSUPPORTED_VERSION = -32022
_KEY = "io.modelcontextprotocol/"
_FRESH_MS = 3_600_000
"""How long a client may go on with a list without asking again: it changes with the relay's version alone."""
_BASE64 = "=?base64?", "?="
_SELF = {"name": "relaykit", "title": "relaykit", "version": relaykit.__version__}


class HttpAnswer(NamedTuple):
    """What goes back over HTTP."""

    status: int
    body: bytes


def unsupported(version: str, read: Read) -> HttpAnswer:
    """Return the refusal of a version that is not spoken here, in a form that clients of any revision understand."""
    error = RpcError(
        UNSUPPORTED_VERSION,
        f"protocol version {version[:40]!r} is not spoken here; {', '.join(SPOKEN)} are",
        data={"supported": SPOKEN, "requested": version[:40]},
    )
    return _refusal(400, error, read.calls[0] if read.calls else None)


def no_batch(version: str) -> HttpAnswer:
    """Return the refusal of a batch in a version that has none."""
    return refused(RpcError(INVALID_REQUEST, f"version {version} has no batches: a body is one request"))


def refused(flaw: RpcError) -> HttpAnswer:
    """Return the refusal of a body in which nothing can be answered."""
    return _refusal(400, flaw)


async def answer(
    server: McpServer[C], read: Read, headers: Mapping[str, str], caller: Callable[[Call], C]
) -> HttpAnswer:
    """Return what is answered to one request of this revision."""
    if read.is_batch or len(read.calls) != 1:
        return _refusal(400, RpcError(INVALID_REQUEST, "a body is one request"))
    (call,) = read.calls
    if isinstance(call, RpcError):
        return _refusal(400, call)
    if call.is_notification:
        return HttpAnswer(202, b"")
    if flaw := _flaw(call, headers):
        return _refusal(400, flaw, call)
    try:
        said = {**await _result(server, call, caller), "resultType": "complete", "_meta": {f"{_KEY}serverInfo": _SELF}}
    except RpcError as error:
        return _refusal(404 if error.code == METHOD_NOT_FOUND else 200, error, call)
    return HttpAnswer(200, jsonrpc.write([jsonrpc.result(call.id, said)], is_batch=False))


async def _result(server: McpServer[C], call: Call, caller: Callable[[Call], C]) -> Mapping[str, Any]:
    match call.method:
        case "server/discover":
            about = {"supportedVersions": SPOKEN, "capabilities": {"tools": {}}, "instructions": INSTRUCTIONS}
            return {**about, **_cached()}
        case "tools/list":
            return {**server.listed(), **_cached()}
        case "tools/call":
            return await server.call(call.params, caller(call))
        case _:
            raise RpcError(METHOD_NOT_FOUND, f"there is no method {call.method[:100]!r} here")


def _cached() -> Mapping[str, Any]:
    return {"ttlMs": _FRESH_MS, "cacheScope": "private"}


def _flaw(call: Call, headers: Mapping[str, str]) -> RpcError | None:
    """Return what a request lacks, or says in its headers and not in its body."""
    meta = call.params.get("_meta")
    if not isinstance(meta, dict) or not isinstance(meta.get(f"{_KEY}clientCapabilities"), dict):
        return RpcError(INVALID_PARAMS, f"_meta has to hold {_KEY}protocolVersion and {_KEY}clientCapabilities")
    repeated = {"mcp-protocol-version": meta.get(f"{_KEY}protocolVersion"), "mcp-method": call.method}
    if call.method == "tools/call":
        repeated["mcp-name"] = call.params.get("name")
    for header, said in repeated.items():
        if _plain(headers.get(header, "")) != said:
            return RpcError(HEADER_MISMATCH, f"the header {header} does not say what the body says")
    return None


def _plain(value: str) -> str:
    """Return the text of a header that may be written in Base64 for what headers cannot hold."""
    first, last = _BASE64
    if not (value.startswith(first) and value.endswith(last)):
        return value
    try:
        return b64decode(value[len(first) : -len(last)], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return value


def _refusal(status: int, error: RpcError, call: Call | RpcError | None = None) -> HttpAnswer:
    return HttpAnswer(
        status, jsonrpc.write([jsonrpc.failure(error, None if call is None else call.id)], is_batch=False)
    )
