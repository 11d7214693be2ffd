"""One request: who called, and what was said, checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from relaykit.plugin import CALLER
from relaykit_signaldock.dock.dock import Caller, Dock
from relaykit_signaldock.dock.envelope import WireError, missing
from relaykit_signaldock.dock.shapes import instant

if TYPE_CHECKING:
    from starlette.requests import Request

    from relaykit_signaldock.dock.records import DockAgent

MOST = 200
"""Of a list, in one answer."""
MAPPING_BYTES = 64 * 2**10
MAPPING_DEPTH = 32


class Call(Struct, frozen=True):
    """One request."""

    dock: Dock
    request: Request

    @property
    def caller(self) -> Caller | None:
        """Who called; None is someone unknown."""
        caller: Caller | None = self.request.scope[CALLER]
        return caller

    @property
    def agent(self) -> Caller:
        """The agent that called, with the key that it has."""
        if self.caller is None or self.caller.is_person:
            raise WireError("E_AUTH_FORBIDDEN", "this is for agents, with a key of theirs")
        return self.caller

    @property
    def me(self) -> str:
        """The agent that called."""
        return self.agent.name

    def may_be(self, agent: str) -> None:
        """Refuse whoever is neither that agent nor the person at this machine."""
        if self.caller is None or not (self.caller.is_person or self.caller.name == agent):
            raise WireError("E_AUTH_FORBIDDEN", f"only {agent} itself may do that")

    def own(self) -> DockAgent:
        """Return the agent of the path, for itself or the person at this machine."""
        self.may_be(self.path())
        record = self.dock.store.agent(self.path())
        if record is None:
            raise missing("AGENT", self.path())
        return record

    def path(self, name: str = "id") -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    def said(self, name: str) -> str | None:
        """Return a value of the query."""
        return self.request.query_params.get(name) or None

    def number(self, name: str, default: int, most: int = MOST, least: int = 1) -> int:
        """Return a number of the query, not more than ``most``."""
        text = self.said(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or int(text[:9]) < least:
            raise WireError("E_VALIDATION_INVALID_FORMAT", f"{name} is a number from {least} on, not {text[:40]!r}")
        return min(int(text[:9]), most)

    def moment(self, name: str) -> float | None:
        """Return a time of the query."""
        text = self.said(name)
        at = instant(text) if text else None
        if text and at is None:
            raise WireError("E_VALIDATION_INVALID_FORMAT", f"{name} is a time of ISO 8601, not {text[:40]!r}")
        return at

    def chosen(self, name: str, default: str, *allowed: str) -> str:
        """Return a word of the query."""
        word = self.said(name) or default
        if word not in allowed:
            raise WireError("E_VALIDATION_CONSTRAINT", f"{name} is one of {', '.join(allowed)}, not {word[:40]!r}")
        return word

    async def body(self) -> Said:
        """Return the JSON object of the body; none is an empty one, whatever its type is said to be."""
        raw = await self.request.body()
        try:
            document = _read(raw.decode()) if raw.strip() else {}
        except (ValueError, RecursionError):
            raise WireError("E_VALIDATION_INVALID_FORMAT", "the body is no JSON") from None
        if not isinstance(document, dict):
            raise WireError("E_VALIDATION_SCHEMA", "the body has to be a JSON object")
        return Said(document)


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(text)  # it could be read, and not be told to anyone
    return number


_DECODER = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""Half a character, as JSON may write it: with its other half it is fine."""


def _read(text: str) -> Any:
    document = _DECODER.decode(text)
    if _HALF.search(text):
        json.dumps(document, ensure_ascii=False).encode()  # UnicodeError is a ValueError
    return document


class Said(Struct, frozen=True):
    """A JSON object that was sent, read value by value."""

    document: Mapping[str, Any]

    def has(self, name: str) -> bool:
        """Whether something was said of it."""
        return self.document.get(name) is not None

    def text(self, name: str, default: str | None = None, most: int | None = None) -> str:
        """Return a text, of ``most`` characters; without a default there has to be one."""
        value = self.document.get(name, default)
        if value is None and default is None:
            raise WireError("E_VALIDATION_MISSING_FIELD", f"{name} is missing", details={"field": name})
        value = default if value is None else value
        if not isinstance(value, str):
            raise _unfit(name, "a text")
        if most is not None and len(value) > most:
            raise _unfit(name, f"a text of at most {most} characters")
        return value

    def one_of(self, name: str, default: str, allowed: frozenset[str]) -> str:
        """Return a word."""
        word = self.text(name, default)
        if word not in allowed:
            raise _unfit(name, f"one of {', '.join(sorted(allowed))}")
        return word

    def texts(self, name: str, default: tuple[str, ...] | None = None, most: int = 1000) -> tuple[str, ...]:
        """Return a list of at most ``most`` texts; without a default there has to be one."""
        value = self.document.get(name)
        if value is None and default is not None:
            return default
        if value is None:
            raise WireError("E_VALIDATION_MISSING_FIELD", f"{name} is missing", details={"field": name})
        if not isinstance(value, list) or len(value) > most or not all(isinstance(one, str) for one in value):
            raise _unfit(name, f"a list of at most {most} texts")
        return tuple(value)

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return an object that is kept as it is; nothing said is an empty one."""
        value = self.document.get(name)
        if value is not None and not isinstance(value, dict):
            raise _unfit(name, "an object")
        if value and (_depth(value) > MAPPING_DEPTH or len(json.dumps(value)) > MAPPING_BYTES):
            raise _unfit(name, f"an object of at most {MAPPING_BYTES} bytes, {MAPPING_DEPTH} levels deep")
        return value or {}


def _depth(value: Any) -> int:
    """Return how deep lists and objects are in one another, without recursion."""
    level, depth = [value], 0
    while level and depth <= MAPPING_DEPTH:
        depth += 1
        inner = [one.values() if isinstance(one, dict) else one for one in level]
        level = [two for one in inner for two in one if isinstance(two, (dict, list))]
    return depth


def _unfit(name: str, wanted: str) -> WireError:
    return WireError("E_VALIDATION_SCHEMA", f"{name} has to be {wanted}", details={"field": name})
