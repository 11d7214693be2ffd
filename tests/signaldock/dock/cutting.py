"""A network between two that a test can cut, hold up and heal: a proxy on loopback."""

from __future__ import annotations

import socket
import struct
from contextlib import asynccontextmanager, suppress

import anyio

_GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


class Network:
    """Carries connections to one port.

    Attributes:
        refusing: How many of the next connections are hung up on.
        swallowing: How many of the next answers are lost on their way: what was asked is done, and nobody hears of it.
    """

    def __init__(self, port):
        self._port = port
        self._scopes = set()
        self._flowing = anyio.Event()
        self._flowing.set()
        self._given_up = anyio.Event()
        self.refusing = 0
        self.swallowing = 0
        self.url = ""

    def cut(self):
        """Break every connection at once, without a word."""
        for scope in set(self._scopes):
            scope.cancel()

    def hold(self):
        """Let nothing through, and break nothing: so it is when a cable is out."""
        self._flowing = anyio.Event()
        self._given_up = anyio.Event()

    def heal(self):
        """Let everything through again, what was held up too."""
        self._flowing.set()
        self.refusing = self.swallowing = 0

    async def given_up(self):
        """Wait until a client gave up a connection that was held up."""
        await self._given_up.wait()

    async def _carry(self, client):
        _hang_up_hard(client)
        async with client:
            if self.refusing:
                self.refusing -= 1
                return
            with suppress(*_GONE), anyio.CancelScope() as scope:
                self._scopes.add(scope)
                try:
                    async with await anyio.connect_tcp("127.0.0.1", self._port) as server:
                        _hang_up_hard(server)
                        async with anyio.create_task_group() as tasks:
                            tasks.start_soon(self._asked, client, server, scope)
                            await self._answered(server, client, scope)
                finally:
                    self._scopes.discard(scope)

    async def _asked(self, client, server, scope):
        send, receive = anyio.create_memory_object_stream(float("inf"))
        async with send, receive, anyio.create_task_group() as tasks:
            tasks.start_soon(self._pass_on, receive, server)
            with suppress(*_GONE):
                while True:  # also while nothing flows, so that it is seen when the client hangs up
                    send.send_nowait(await client.receive())
            if not self._flowing.is_set():
                self._given_up.set()
            scope.cancel()

    async def _pass_on(self, pieces, server):
        with suppress(*_GONE):
            async for data in pieces:
                await self._flowing.wait()
                await server.send(data)

    async def _answered(self, server, client, scope):
        with suppress(*_GONE):
            while True:
                data = await server.receive()
                await self._flowing.wait()
                if self.swallowing:
                    self.swallowing -= 1
                    break
                await client.send(data)
        scope.cancel()


def _hang_up_hard(stream):
    raw = stream.extra(anyio.abc.SocketAttribute.raw_socket)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@asynccontextmanager
async def network(port):
    """Run one."""
    made = Network(port)
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        made.url = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
        tasks.start_soon(listener.serve, made._carry)
        yield made
        tasks.cancel_scope.cancel()
