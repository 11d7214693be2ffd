"""The document that describes the paths of the dock, made from their table."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import relaykit
from relaykit_signaldock.dock.call import Call

Handler = Callable[[Call], Awaitable[Any]]


class Way(NamedTuple):
    """One method of one path."""

    method: str
    path: str
    handler: Handler
    is_open: bool = False
    """Whether no key is needed."""


def openapi(ways: Sequence[Way]) -> dict[str, Any]:
    """Return the document that describes the paths."""
    paths: dict[str, dict[str, Any]] = {}
    for way in ways:
        names = [part.strip("{}") for part in way.path.split("/") if part.startswith("{")]
        about: dict[str, Any] = {
            "summary": (inspect.getdoc(way.handler) or "").partition("\n")[0],
            "operationId": f"{way.handler.__module__.rpartition('.')[2]}_{way.handler.__name__}_{len(paths)}",
            "parameters": [
                {"name": one, "in": "path", "required": True, "schema": {"type": "string"}} for one in names
            ],
            "responses": {"2XX": _answers("Good"), "4XX": _answers("Error"), "5XX": _answers("Error")},
        }
        if way.is_open:
            about["security"] = []
        paths.setdefault(way.path, {})[way.method.lower()] = about
    return {
        "openapi": "3.1.0",
        "info": {"title": "relaykit dock", "version": relaykit.__version__},
        "security": [{"key": []}],
        "paths": paths,
        "components": {"schemas": _SCHEMAS, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }


_SCHEMAS: dict[str, Any] = {
    "Good": {
        "type": "object",
        "required": ["success", "data"],
        "properties": {"success": {"const": True}, "data": {"type": "object"}},
    },
    "Error": {
        "type": "object",
        "required": ["success", "error"],
        "properties": {
            "success": {"const": False},
            "error": {
                "type": "object",
                "required": ["code", "message", "category", "retryable"],
                "properties": {
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "category": {"type": "string"},
                    "retryable": {"type": "boolean"},
                    "retry_after_ms": {"type": "integer"},
                    "details": {"type": "object"},
                },
            },
        },
    },
}


def _answers(schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": schema, "content": content}
