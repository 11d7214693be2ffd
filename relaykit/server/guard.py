"""The guard in front of every application: who, from where, how much, how often.

It speaks ASGI on both sides and knows nothing of what it guards, so that another application, with other tokens, can be
put behind it as well. There is no way round it: whoever is served is a ``Site``, which says who may come in.
"""

from __future__ import annotations

import json

import anyio

from relaykit.plugin import CALLER, Known, Receive, Scope, Send, Site
from relaykit.plugin.lending import Event
from relaykit.server.origins import Hosts, is_same_origin
from relaykit.server.rates import Bucket

MAX_BODY = 4 * 2**20
"""A message of 1 MiB, whichever way its client escapes it, but for the worst."""
_BODY_SECONDS = 20.0
_BEARER = b"bearer "
_TOO_MANY = 429
_UNKNOWN_PER_SECOND, _UNKNOWN_BURST = 5.0, 20.0
"""Of those without a good token together: so often they may guess, and so often come in where it is open."""


class _RefusedError(Exception):
    def __init__(self, status: int, text: str, *headers: tuple[bytes, bytes]) -> None:
        self.status = status
        self.headers = headers
        super().__init__(text)


class Guard:
    """Lets through what has a good token or an open door, comes from here, is small enough and not too often."""

    def __init__(self, site: Site, hosts: Hosts, *, max_body: int = MAX_BODY) -> None:
        self._site = site
        self._hosts = hosts
        self._max_body = max_body
        self._vain = Bucket(_UNKNOWN_PER_SECOND, _UNKNOWN_BURST)
        self._open = Bucket(_UNKNOWN_PER_SECOND, _UNKNOWN_BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request and hand it on, or answer why not."""
        if scope["type"] != "http":
            return
        try:
            self._check(scope)
            body = await self._body(scope, receive)
        except _RefusedError as refusal:
            told = self._site.slowed if refusal.status == _TOO_MANY and scope.get(CALLER) else None
            await (told(scope, receive, send) if told else self._answer(send, refusal))
            return
        if body is not None:
            await self._site.app(scope, _replayed(body, receive), send)

    def _check(self, scope: Scope) -> None:
        """Refuse a request, or put into its scope who calls."""
        host = _only(scope, b"host") or b""
        if not self._hosts.know(host):
            raise _RefusedError(421, "the Host header names nobody here; use the address that the relay listens on")
        origins = _all(scope, b"origin")
        if origins and not all(is_same_origin(origin, host) for origin in origins):
            raise _RefusedError(403, "requests from web pages of elsewhere are refused")
        token = self._token(scope)
        known: Known | None = self._site.authenticate(token) if token else None
        scope[CALLER] = known
        is_open = self._site.is_open is not None and self._site.is_open(scope)
        unknown = self._open if is_open and not token else self._vain
        _slow_down((known.requests if known else unknown).take())
        if known is None and not is_open:
            raise _RefusedError(
                401,
                "a bearer token is needed: a session's own, or the person's, which stands in the file token of the home",
                (b"www-authenticate", b"Bearer"),
            )

    def _token(self, scope: Scope) -> bytes:
        given = _only(scope, b"authorization") or b""
        if given[: len(_BEARER)].lower() == _BEARER:
            return given[len(_BEARER) :].strip()
        return self._site.takes_token(scope) if self._site.takes_token else b""

    async def _answer(self, send: Send, refusal: _RefusedError) -> None:
        body = (self._site.refusal or _told)(refusal.status, str(refusal))
        size = (b"content-length", str(len(body)).encode())
        headers = [(b"content-type", b"application/json"), size, *refusal.headers]
        await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """Return the whole body, or None where the client has gone."""
        most = (self._site.most_body and self._site.most_body(scope)) or self._max_body
        too_large = _RefusedError(413, f"a request has at most {most} bytes", (b"connection", b"close"))
        said = _only(scope, b"content-length") or b"0"
        if not said.isdigit() or int(said) > most:
            raise too_large
        if said == b"0" and not _all(scope, b"transfer-encoding"):
            return b""
        parts, size = [], 0
        seconds = _BODY_SECONDS * max(1, most / MAX_BODY)
        with anyio.move_on_after(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > most:
                    raise too_large
                if not message.get("more_body"):
                    return b"".join(parts)
        raise _RefusedError(408, f"the request was not complete within {seconds:g} s", (b"connection", b"close"))


def _slow_down(seconds: float) -> None:
    if seconds:
        wait = str(int(seconds) + 1).encode()
        raise _RefusedError(_TOO_MANY, "too many requests; wait a moment", (b"retry-after", wait))


def _all(scope: Scope, name: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key == name]


def _only(scope: Scope, name: bytes) -> bytes | None:
    """Return the header that is there once; of two, nobody can say which one the others meant."""
    found = _all(scope, name)
    if len(found) > 1:
        raise _RefusedError(400, f"the header {name.decode()} came more than once")
    return found[0] if found else None


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting: list[Event] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Event:
        return waiting.pop() if waiting else await receive()

    return again


def _told(_status: int, text: str) -> bytes:
    return json.dumps({"error": {"message": text}}).encode()
