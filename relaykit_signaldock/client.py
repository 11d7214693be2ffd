"""Requests to the server: signed, bounded in time and size, and each failure with what it means."""

from __future__ import annotations

import json as jsonlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import httpx
from msgspec import Struct, field

from relaykit_signaldock.failures import (
    DockError,
    LostError,
    SignedOutError,
    TooLargeError,
    UnreachableError,
    failure,
    retry_after,
)
from relaykit_signaldock.protocol import Page, ShapeError, page

if TYPE_CHECKING:
    from relaykit.model import Secret
    from relaykit.plugin import Clock
    from relaykit_signaldock.account import Account
    from relaykit_signaldock.keys import Keys
    from relaykit_signaldock.reporter import Reporter

MAX_BYTES = 32 * 2**20
"""Of one answer: a page of 200 messages is usually far below it, and where it is not, fewer are asked for."""
_SILENCE = 90.0
"""Seconds without a byte after which a stream is dead: servers send a heartbeat every 30."""
_UNAUTHORISED, _TOO_MANY = 401, 429
_NOT_REACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Request(Struct, frozen=True, kw_only=True):
    """What the server is asked."""

    method: str
    path: str
    json: Any = None
    """The body; none at all where it is None."""
    content: bytes | None = None
    """The body where it is a file, or JSON whose size counts."""
    is_for_file: bool = False
    """Whether the answer is a file and no envelope: what stands in it says nothing of how it went."""
    seconds: float | None = None
    """For the whole answer; None is the client's usual."""
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Answer(Struct, frozen=True, kw_only=True):
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_yes(self) -> bool:
        """Whether it did what it was asked."""
        return self.is_good and not _says_no(self.body)

    @property
    def is_good(self) -> bool:
        """Whether its status says so."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own numbers


class Client:
    """Signs every request with the key that is right now.

    Attributes:
        reload: Reads the key anew from the store: another process may have rotated it.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        account: Account,
        keys: Keys,
        *,
        clock: Clock,
        timeout: float,
        reporter: Reporter,
    ) -> None:
        self._http = http
        self._account = account
        self._keys = keys
        self._clock = clock
        self._timeout = timeout
        self._reporter = reporter
        self._rest_until = 0.0
        self.reload: Callable[[], Awaitable[None]] | None = None

    async def ask(self, request: Request, *, key: Secret | None = None, tell: bool = True) -> Answer:
        """Return the answer to a request that was done, signed with any key that works, or with the one given.

        Where every key is refused a person is told, unless ``tell`` leaves that to the caller.

        Raises:
            SignedOutError: The server refuses every key that there is.
            DockError: It answered that it will not, or not now.
            UnreachableError: It was not reached; nothing was done.
            LostError: No answer came; what was asked may have been done.
        """
        self._rest_first()
        answer = await (self._signed(request) if key is None else self._once(request, key))
        if answer.is_yes or (request.is_for_file and answer.is_good):
            self._signed_in()
            self._rest_after(answer.headers)
            return answer
        error = self._failure(answer, str(request))
        if isinstance(error, SignedOutError) and key is None and tell:
            self.tell_signed_out(error)
        raise error

    async def page(self, path: str, limit: int, **params: Any) -> tuple[Page, int]:
        """Return a page of messages, and its limit: less than the one given where so many are too large together.

        LostError where the answer is none.
        """
        request = Request(method="GET", path=path, params={"limit": limit, **params})
        try:
            return page((await self.ask(request)).body), limit
        except TooLargeError:
            if limit == 1:
                raise
        except ShapeError as error:
            raise LostError(f"GET {path}: {error}") from error
        return await self.page(path, limit // 2, **params)

    @asynccontextmanager
    async def stream(self, request: Request, key: Secret, *, in_query: bool) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a stream with a key; yields its bytes as they come. The same errors."""
        self._rest_first()
        own: dict[str, str] = {} if in_query else self._signature(key)
        query = {"token": key.reveal(), "agent_id": self._account.agent} if in_query else {}
        timeout = httpx.Timeout(self._timeout, read=_SILENCE)
        with self._meaning(str(request), self._timeout):
            async with self._http.stream(
                request.method,
                request.path,
                params={**request.params, **query},
                headers={**own, **request.headers},
                timeout=timeout,
            ) as response:
                if not response.is_success:
                    raise self._failure(await _answer(response), str(request))
                self._signed_in()
                yield response.aiter_bytes()

    def tell_signed_out(self, error: DockError) -> None:
        """Tell a person, once, that the server refuses the key."""
        name = self._account.credential
        remedy = f"store a good one with `relaykit credentials set {name}`"
        self._reporter.trouble("key", f"{self._account.url} refuses the key of credential {name!r} ({error}); {remedy}")

    async def _signed(self, request: Request) -> Answer:
        """Try every key that there is, and then what the store says by now."""
        tried = []
        for key in self._keys.to_try():
            answer = await self._once(request, key)
            if answer.status != _UNAUTHORISED:
                return answer
            tried.append(key)
        if self.reload is not None:
            await self.reload()
        return answer if self._keys.current in tried else await self._once(request, self._keys.current)

    async def _once(self, request: Request, key: Secret) -> Answer:
        headers = {**self._signature(key), **request.headers}
        seconds = request.seconds or self._timeout
        with self._meaning(str(request), seconds), anyio.fail_after(seconds):
            async with self._http.stream(
                request.method,
                request.path,
                json=request.json,
                content=request.content,
                params=request.params,
                headers=headers,
            ) as response:
                return await _answer(response)

    def _signature(self, key: Secret) -> dict[str, str]:
        return {"Authorization": f"Bearer {key.reveal()}", "X-Agent-Id": self._account.agent}

    def _signed_in(self) -> None:
        self._reporter.well("key", f"{self._account.url} takes the key again")

    def _failure(self, answer: Answer, what: str) -> DockError:
        error = failure(answer.status, answer.headers, answer.body, now=self._clock.now(), what=what)
        if answer.status == _TOO_MANY:
            self._rest_until = self._clock.boot() + (error.retry_after or 0.0)
        return error

    def _rest_after(self, headers: Mapping[str, str]) -> None:
        """Ask for nothing more where this was the last request that the limit has room for."""
        if (wait := retry_after(headers, self._clock.now())) is not None:
            self._rest_until = self._clock.boot() + wait

    def _rest_first(self) -> None:
        left = self._rest_until - self._clock.boot()
        if left > 0:
            raise UnreachableError(f"the server wants to be left alone for {left:.0f} s more", left)

    @contextmanager
    def _meaning(self, what: str, seconds: float) -> Iterator[None]:
        """Say what the library's errors mean; their texts may show what was sent, so their names must do."""
        try:
            yield
        except _NOT_REACHED as error:
            raise UnreachableError(f"{what}: {self._account.url} cannot be reached ({type(error).__name__})") from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise LostError(f"{what}: the connection broke ({type(error).__name__})") from None
        except TimeoutError:
            raise LostError(f"{what}: no whole answer within {seconds:g} s") from None


async def _answer(response: httpx.Response) -> Answer:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_BYTES:
            raise TooLargeError(f"the answer has more than {MAX_BYTES} bytes")
    return Answer(status=response.status_code, headers=response.headers, body=bytes(body))


def _says_no(body: bytes) -> bool:
    """Whether an envelope says that it failed, whatever the status of HTTP."""
    if b'"success"' not in body:
        return False
    try:
        document = jsonlib.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("success") is False
