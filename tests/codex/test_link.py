"""The WebSocket to codex, against another implementation of its server's side, and against what is none."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, suppress

import anyio
import anyio.lowlevel
import pytest
from anyio import BrokenResourceError, EndOfStream
from websockets.asyncio.server import unix_serve

from relaykit.errors import ProviderError
from relaykit_codex.connection import UnixStream
from relaykit_codex.link import connected

pytestmark = pytest.mark.anyio
SECONDS = 10


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Running:
    """A server's process that does not end."""

    pid = 1
    outlives = False

    async def wait(self):
        await anyio.sleep_forever()

    async def complaint(self):
        await anyio.sleep_forever()


@pytest.fixture
def path(tmp_path):
    """The real socket is elsewhere, as codex has it: its own path may be too long for the kernel."""
    link = tmp_path / ("d" * 120) / "codex"
    link.parent.mkdir()
    link.symlink_to(tmp_path / "s")
    return link


@asynccontextmanager
async def link_to(path, talk):
    async with unix_serve(talk, path.resolve()):
        with anyio.fail_after(SECONDS):
            async with connected(Running(), path, SECONDS) as link:
                yield link


class Enough(Exception):  # noqa: N818 - it is none
    """All is there that was waited for."""


async def lines(link, count):
    """Return that many whole lines."""
    got = bytearray()

    def take(piece):
        got.extend(piece)
        if got.count(b"\n") >= count:
            raise Enough

    with suppress(Enough):
        await link.feed(take)
    return bytes(got).splitlines()


async def test_frames_are_lines_and_pings_are_answered_while_nobody_sends(path):
    async def talk(ws):
        await ws.send('{"first": 1}')
        await ws.send(iter(['{"in', " pie", 'ces": 2}']))
        await (await ws.ping())
        await ws.send('{"over\n": "two lines"}')
        await ws.send(await ws.recv())

    async with link_to(path, talk) as link:
        assert await lines(link, 3) == [b'{"first": 1}', b'{"in pieces": 2}', b'{"over ": "two lines"}']
        await link.send(b'{"back": 3}\n')
        assert await lines(link, 1) == [b'{"back": 3}']
        with pytest.raises(EndOfStream):
            await link.feed([].append)
        with pytest.raises(BrokenResourceError):
            await link.send(b"{}\n")


async def test_a_message_of_megabytes_goes_through_both_ways(path):
    async def talk(ws):
        await ws.send(await ws.recv())

    long = b'{"x": "' + b"y" * 900_000 + b'"}'
    async with link_to(path, talk) as link:
        await link.send(long + b"\n")
        assert await lines(link, 1) == [long]


async def test_what_is_cut_off_is_the_end_and_can_no_longer_be_sent_to(path):
    async def talk(ws):
        ws.transport.abort()

    async with link_to(path, talk) as link:
        with pytest.raises((EndOfStream, BrokenResourceError)):
            await link.feed([].append)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\n\r\n", b"\x00\xff nonsense\r\n\r\n", b""])
async def test_what_speaks_no_websocket_is_refused_in_one_line(path, answer):
    async def talk(stream):
        async with stream:
            await stream.receive()
            await stream.send(answer or b"\n")

    async with await anyio.create_unix_listener(path.resolve()) as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, talk, name="no server of WebSockets")
        with anyio.fail_after(SECONDS), pytest.raises(ProviderError, match="does not answer on") as caught:
            async with connected(Running(), path, SECONDS):
                pass
        assert "\n" not in str(caught.value)
        tasks.cancel_scope.cancel()


async def test_a_read_that_is_cancelled_as_something_comes_leaves_no_error_in_the_loop(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path.resolve()))
        listener.listen()
        async with UnixStream(path.resolve()) as stream:
            other, _ = listener.accept()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stream.receive, name="read")
                await anyio.wait_all_tasks_blocked()
                # The loop sees both at once, and first carries out what it was called for.
                other.send(b"x")
                asyncio.get_running_loop().call_soon(tasks.cancel_scope.cancel)
                await anyio.lowlevel.checkpoint()
            assert await stream.receive() == b"x"
            other.close()


async def test_a_socket_where_nobody_answers_is_waited_for_in_bounds(path):
    async with await anyio.create_unix_listener(path.resolve()):
        with anyio.fail_after(SECONDS), pytest.raises(ProviderError, match="is there, and does not answer on"):
            async with connected(Running(), path, 0.2):
                pass
