"""How many connections there may be, and who has to go: over real sockets, behind the real guard."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager, closing

import anyio
import pytest

from relaykit.plugin import Site
from relaykit.server import listening
from relaykit.server.binding import bind
from relaykit.server.connection import Connection
from relaykit.server.guard import Guard
from relaykit.server.listening import serving
from relaykit.server.origins import Address, Hosts
from relaykit.server.quick import QuickConnection
from relaykit.server.rates import Bucket
from relaykit.testing.scripted import SECONDS

pytestmark = pytest.mark.anyio
ROOM = 8
GOOD = "Authorization: Bearer good"


class Someone:
    requests = Bucket(1000.0, 1000.0)


@pytest.fixture(params=[Connection, QuickConnection], autouse=True)
def either_connection(request, monkeypatch):
    monkeypatch.setattr(listening, "connection_class", lambda *, quick: request.param)


async def well(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def site():
    """A server with room for a few; yields what connects to it."""
    bound, address = bind(Address("127.0.0.1", 0))
    guarded = Site(app=well, authenticate=lambda token: Someone() if token == b"good" else None)
    with closing(bound), anyio.fail_after(SECONDS):
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(serving(Guard(guarded, Hosts(address)), bound, connections=ROOM))

            async def connect():
                return await stack.enter_async_context(await anyio.connect_tcp(address.host, address.port))

            yield connect


async def status(stream, *headers):
    lines = ["GET /health HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]
    await stream.send("\r\n".join(lines).encode())
    return int((await stream.receive()).split()[1])


async def test_strangers_who_keep_many_connections_open_keep_nobody_out():
    async with site() as connect:
        known = await connect()
        assert await status(known, GOOD) == 200
        strangers = [await connect() for _ in range(3 * ROOM)]
        with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
            await strangers[0].receive()
        assert await status(known, GOOD) == 200
        assert await status(await connect(), GOOD) == 200


async def test_who_guesses_is_a_stranger():
    async with site() as connect:
        guessing = await connect()
        assert await status(guessing, "Authorization: Bearer bad") == 401
        for _ in range(ROOM):
            assert await status(await connect(), GOOD) == 200
        with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
            await guessing.receive()


async def test_where_all_are_known_it_is_the_new_one_that_goes():
    async with site() as connect:
        known = [await connect() for _ in range(ROOM)]
        assert [await status(one, GOOD) for one in known] == [200] * ROOM
        with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
            await (await connect()).receive()
        assert [await status(one, GOOD) for one in known] == [200] * ROOM
        await known.pop().aclose()
        await connect()
        assert [await status(one, GOOD) for one in known] == [200] * (ROOM - 1)
