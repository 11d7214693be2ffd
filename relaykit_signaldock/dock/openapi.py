"""The document that describes the paths of the dock, made from their table."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import relaykit
from relaykit_signaldock.dock.call import Call
from relaykit_signaldock.dock.schemas import COMPONENTS, About, Schema, record

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
        paths.setdefault(way.path, {})[way.method.lower()] = _operation(way)
    return {
        "openapi": "3.1.0",
        "info": {"title": "relaykit dock", "version": relaykit.__version__},
        "security": [{"key": []}],
        "paths": paths,
        "components": {"schemas": COMPONENTS, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(way: Way) -> dict[str, Any]:
    about: About = getattr(way.handler, "about", About())
    names = [part.strip("{}") for part in way.path.split("/") if part.startswith("{")]
    parts = [{"name": one, "in": "path", "required": True, "schema": {"type": "string"}} for one in names]
    operation: dict[str, Any] = {
        "summary": (inspect.getdoc(way.handler) or "").partition("\n")[0],
        "operationId": re.sub(r"[^a-z]+", "_", f"{way.method}{way.path}".lower()).strip("_"),
        "parameters": [*parts, *about.asks],
        "responses": {str(about.status): _good(about), "4XX": _ERROR, "5XX": _ERROR},
    }
    if about.takes_bytes:
        operation["requestBody"] = {"required": True, **_BYTES}
    if about.takes is not None:
        operation["requestBody"] = {"required": about.takes.get("required") != [], **_json(about.takes)}
    if way.is_open:
        operation["security"] = [{}, {"key": []}]
    return operation


def _good(about: About) -> dict[str, Any]:
    if about.streams:
        return {"description": "Events, without end", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    if about.gives_bytes:
        return {"description": "The file", **_BYTES}
    return {"description": "Good", **_json(record({"success": {"const": True}, "data": about.gives}))}


def _json(schema: Schema) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


_BYTES: dict[str, Any] = {"content": {"application/octet-stream": {}}}
_ERROR = {"description": "Error", **_json({"$ref": "#/components/schemas/Error"})}
