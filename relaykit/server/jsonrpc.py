"""JSON-RPC 2.0: bytes to calls, results to bytes. No input or output, and no opinion on methods."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
MOST_CALLS = 20
"""In one batch."""

_ENDLESS = (float("inf"), float("-inf"))
"""What Python reads of 1e999."""
Id = str | int | float | None


class Call(Struct, frozen=True, kw_only=True):
    """A request, or a notification, which nobody waits to have answered."""

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    id: Id = None
    is_notification: bool = False

    @property
    def use_names(self) -> Sequence[str]:
        """What its client says beside the parameters; one of it may name the use of a tool that the call is for."""
        meta = self.params.get("_meta")
        return [value for value in meta.values() if isinstance(value, str)] if isinstance(meta, Mapping) else []


class RpcError(Exception):
    """What is answered in place of a result."""

    def __init__(
        self,
        code: int,
        message: str,
        id: Id = None,
        *,
        data: Mapping[str, Any] | None = None,
        of_notification: bool = False,
    ) -> None:
        self.code = code
        self.id = id
        self.data = data
        self.of_notification = of_notification
        super().__init__(message)


class Read(Struct, frozen=True):
    """What stood in one body."""

    calls: Sequence[Call | RpcError]
    """In order; an answer of the client's, which this side never asked for, is left out."""
    is_batch: bool

    @property
    def flaw(self) -> RpcError | None:
        """What is wrong with a body that holds no call which could be answered."""
        alone = self.calls[0] if self.calls and not self.is_batch else None
        return alone if isinstance(alone, RpcError) and alone.id is None else None


def read(body: bytes) -> Read:
    """Take a body apart; whatever is wrong with it stands in its place as the error to answer."""
    try:
        said = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        return Read([RpcError(PARSE_ERROR, f"this is no JSON: {error}")], is_batch=False)
    if not isinstance(said, list):
        return understood(said)
    if not 0 < len(said) <= MOST_CALLS:
        return Read([RpcError(INVALID_REQUEST, f"a batch has 1 to {MOST_CALLS} requests")], is_batch=False)
    return Read(_calls(said), is_batch=True)


def understood(said: object) -> Read:
    """Take apart what is one message, and JSON no more."""
    return Read(_calls([said]), is_batch=False)


def result(id: Id, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a request."""
    return {"jsonrpc": "2.0", "id": id, "result": value}


def failure(error: RpcError, id: Id = None) -> dict[str, Any]:
    """Return the answer to what could not be done."""
    more = {} if error.data is None else {"data": error.data}
    return {
        "jsonrpc": "2.0",
        "id": error.id if id is None else id,
        "error": {"code": error.code, "message": str(error), **more},
    }


def write(answers: Sequence[Mapping[str, Any]], *, is_batch: bool) -> bytes:
    """Return answers as a body; empty where nobody waits for any."""
    if not answers:
        return b""
    # ASCII alone: what a client may have put into an id need not be text that can be encoded.
    return json.dumps(answers if is_batch else answers[0], separators=(",", ":")).encode("ascii")


def _calls(said: Sequence[object]) -> list[Call | RpcError]:
    return [call for one in said if (call := _call(one)) is not None]


def _call(said: object) -> Call | RpcError | None:
    if not isinstance(said, Mapping) or said.get("jsonrpc") != "2.0":
        return RpcError(INVALID_REQUEST, "a request is an object with jsonrpc 2.0")
    number = said.get("id")
    if isinstance(number, bool) or not isinstance(number, str | int | float | None) or number in _ENDLESS:
        return RpcError(INVALID_REQUEST, "an id is a string or a number")
    if "method" not in said and ("result" in said or "error" in said):
        return None
    method, params = said.get("method"), said.get("params", {})
    if not isinstance(method, str):
        return RpcError(INVALID_REQUEST, "a request names its method", number)
    if not isinstance(params, Mapping):
        told = f"{method[:100]}: params is an object"
        return RpcError(INVALID_PARAMS, told, number, of_notification="id" not in said)
    return Call(method=method, params=params, id=number, is_notification="id" not in said)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")
