"""Where a site is open, those who come without a token do not wait behind those who guess one."""

from __future__ import annotations

import anyio
import pytest

from relaykit.plugin import Site
from relaykit.server.binding import bind
from relaykit.server.guard import Guard
from relaykit.server.listening import serving
from relaykit.server.origins import Address, Hosts
from relaykit.testing.scripted import SECONDS

pytestmark = pytest.mark.anyio


async def welcome(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def test_guesses_close_no_open_path(edge):
    site = Site(app=welcome, authenticate=lambda _token: None, is_open=lambda scope: scope["path"] == "/open")
    bound, address = bind(Address("127.0.0.1", 0))
    guard = Guard(site, Hosts(address))

    async def ask(path, *headers):
        said = edge.request("GET", path, [("Host", f"127.0.0.1:{address.port}"), *headers])
        return (await edge.exchange(address.url, said)).status

    guess = ("Authorization", "Bearer guess")
    with anyio.fail_after(SECONDS):
        async with serving(guard, bound):
            assert await ask("/open", guess) == 200
            assert [await ask("/closed", guess) for _ in range(40)][-1] == 429
            assert await ask("/closed") == 429
            assert await ask("/open") == 200
            assert [await ask("/open") for _ in range(40)][-1] == 429, "it has a pace of its own"
