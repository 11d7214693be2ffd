"""The envelope of every answer, and the codes of what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.responses import JSONResponse

_BY_STATUS = {
    400: "E_VALIDATION_SCHEMA",
    401: "E_AUTH_UNAUTHORIZED",
    403: "E_AUTH_FORBIDDEN",
    404: "E_NOT_FOUND_RESOURCE",
    409: "E_CONFLICT_DUPLICATE",
    429: "E_RATE_LIMIT",
}


class _Kind(NamedTuple):
    prefix: str
    status: int
    category: str
    retry_ms: int | None = None


_UNAUTHORISED = 401
_KEYLESS = (
    "a bearer token is needed: the key of an agent of this dock, which `relaykit dock agents add` or "
    "`relaykit dock keys reset` prints at the dock's machine"
)
"""In place of what the guard says, which is of a relay's sessions."""

KINDS = (
    _Kind("E_VALIDATION", 400, "VALIDATION"),
    _Kind("E_AUTH_FORBIDDEN", 403, "PERMISSION"),
    _Kind("E_AUTH_INSUFFICIENT", 403, "PERMISSION"),
    _Kind("E_AUTH", 401, "AUTH"),
    _Kind("E_NOT_FOUND", 404, "NOT_FOUND"),
    _Kind("E_CONFLICT", 409, "CONFLICT"),
    _Kind("E_RATE_LIMIT", 429, "RATE_LIMIT", 60_000),
    _Kind("E_INTERNAL_DATABASE", 503, "INTERNAL", 3_000),
    _Kind("E_INTERNAL", 500, "INTERNAL", 5_000),
)
"""What codes mean; the first whose prefix fits."""


class WireError(Exception):
    """A request that is answered with an error."""

    def __init__(
        self, code: str, message: str, *, details: Mapping[str, Any] | None = None, retry_ms: int | None = None
    ) -> None:
        self.code = code
        self.message = message
        self.details = details
        self.kind = next(kind for kind in KINDS if code.startswith(kind.prefix))
        self.retry_ms = retry_ms or self.kind.retry_ms
        super().__init__(message)

    def document(self) -> dict[str, Any]:
        """Return the answer."""
        about: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "category": self.kind.category,
            "retryable": self.retry_ms is not None,
        }
        if self.retry_ms is not None:
            about["retry_after_ms"] = self.retry_ms
        if self.details is not None:
            about["details"] = dict(self.details)
        return {"success": False, "error": about}

    def answer(self) -> JSONResponse:
        """Return the answer as it is sent."""
        headers = {} if self.retry_ms is None else {"Retry-After": str(-(-self.retry_ms // 1000))}
        return JSONResponse(self.document(), status_code=self.kind.status, headers=headers)


def good(data: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer to a request that went well."""
    return JSONResponse({"success": True, "data": dict(data)}, status_code=status, headers=headers)


def refusal(status: int, text: str) -> bytes:
    """Return the body with which the guard refuses a request."""
    said = _KEYLESS if status == _UNAUTHORISED else text
    return json.dumps(WireError(_BY_STATUS.get(status, "E_VALIDATION_CONSTRAINT"), said).document()).encode()


def missing(what: str, name: str) -> WireError:
    """Return the error for what is not there, or not for the caller to see."""
    return WireError(f"E_NOT_FOUND_{what}", f"there is no {what.lower()} {name!r} here")
