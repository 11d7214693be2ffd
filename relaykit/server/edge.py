"""The edge of one relay: its tokens, and the listener that starts with the first who needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import cache, partial
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from msgspec.structs import replace

from relaykit.errors import ConfigError
from relaykit.plugin import Endpoint, Tools
from relaykit.relay.ownership import LASTING_FILE, children_directory
from relaykit.server.binding import bind
from relaykit.server.lasting import Lasting, keep_lasting, read_lasting
from relaykit.server.origins import Address
from relaykit.server.passes import Caller, Passes, person, user_token

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from relaykit.model import Secret
    from relaykit.relay.doorway import Hearing
    from relaykit.relay.services import Services
    from relaykit.server.piped import PipedTools

    Serve = Callable[..., AbstractAsyncContextManager[None]]


class HttpEdge:
    """Listens at an address; ``auto`` means loopback on a free port, and only once an agent needs its tools."""

    def __init__(self, listen: str) -> None:
        self._lazy = listen == "auto"
        self._address = Address.parse(listen)

    @asynccontextmanager
    async def open(self, services: Services) -> AsyncIterator[HttpDoorway]:
        """Open it for a relay."""
        async with AsyncExitStack() as stack:
            doorway = HttpDoorway(self._address, services, stack)
            if not self._lazy:
                doorway.listen()
            yield doorway


class HttpDoorway:
    """An edge that is open, whether it listens already or not.

    A web server takes as long to import as a coding agent takes to start. Where an agent comes for its tools, that goes on
    beside its start; else it is done once somebody comes, and many a relay needs none.
    """

    def __init__(self, address: Address, services: Services, stack: AsyncExitStack) -> None:
        self._address = address
        self._services = services
        self._stack = stack
        self._passes = Passes()
        self._bound: tuple[socket.socket, Address] | None = None
        self._listens = anyio.Event()
        self._expects = anyio.Event()
        """Set where somebody is sure to come soon."""
        self._closing = anyio.Event()

    @asynccontextmanager
    async def admit(
        self, agent: str, hearing: Hearing, lasting: Path | None = None, *, piped: bool = False
    ) -> AsyncIterator[Endpoint]:
        """Let one session's processes in, under a token that is good while the context is open."""
        url = self.listen()
        kept = self._kept(agent, lasting)
        caller = Caller(name=agent, is_agent=True, session=hearing)
        with self._passes.admit(caller, kept) as token:
            if lasting is not None and kept is None:
                keep_lasting(lasting, Lasting(token, self._port))
            if not piped:
                self._expects.set()
            try:
                yield Endpoint(url=url, token=token, tools=self._tools(caller), uses=caller.uses)
            finally:
                caller.uses.drop()

    def _tools(self, caller: Caller) -> Tools:
        piped = cache(lambda: _piped()(caller, self._services, self._closing))
        return lambda message: piped().answered(message)

    def _kept(self, agent: str, lasting: Path | None) -> Secret | None:
        """Return the token that the agent's process has from an earlier relay; None where a new one is made."""
        kept = read_lasting(lasting) if lasting is not None else None
        if kept is not None and kept.port != self._port:
            # Whoever has that port now may have been told the token.
            self._services.report(
                f"{agent}: it looks for the relay's tools at port {kept.port}, where this relay does not listen; "
                f"`relaykit restart {agent}` gives them back"
            )
        return kept.token if kept is not None and kept.port == self._port else None

    @property
    def _port(self) -> int:
        return self._bound[1].port if self._bound else 0

    def listen(self) -> str:
        """Listen, unless it does already, and return the address; who comes before ``run`` serves waits for it."""
        if self._bound is None:
            self._bound = self._listen()
            self._listens.set()
        return self._bound[1].url

    async def run(self) -> None:
        """Serve for ever, once somebody listens; cancelled, it ends every connection within seconds."""
        await self._listens.wait()
        if self._bound is None:
            return
        await anyio.to_thread.run_sync(_piped)
        await self._somebody(self._bound[0])
        serve = await anyio.to_thread.run_sync(_server)
        async with serve(self._services, self._passes, self._closing, *self._bound):
            try:
                await anyio.sleep_forever()
            finally:
                self._closing.set()  # calls that wait end, and their connections with them

    async def _somebody(self, bound: socket.socket) -> None:
        """Return once somebody has come, or is sure to come."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(
                _then_cancel, partial(anyio.wait_readable, bound), tasks.cancel_scope, name="edge: who comes"
            )
            tasks.start_soon(_then_cancel, self._expects.wait, tasks.cancel_scope, name="edge: who is expected")

    def _listen(self) -> tuple[socket.socket, Address]:
        services = self._services
        token = user_token(services.config.home)
        bound, address = self._bind()
        self._stack.callback(bound.close)
        self._stack.enter_context(self._passes.admit(person(), token))
        if not address.is_loopback:
            services.report(
                f"listening on {address.host}:{address.port}: others can reach it, and what passes is not encrypted"
            )
        services.run_file.note_url(address.url)
        return bound, address

    def _bind(self) -> tuple[socket.socket, Address]:
        """Bind the address; where any port will do, the one at which agents from an earlier relay look for this one."""
        home = self._services.config.home
        for agent in self._services.config.agents if self._address.port == 0 else ():
            if kept := read_lasting(children_directory(home, agent.id) / LASTING_FILE):
                with suppress(ConfigError):  # another one's by now, which is reported when the agent comes in
                    return bind(replace(self._address, port=kept.port))
        return bind(self._address)


async def _then_cancel(wait: Callable[[], Awaitable[object]], scope: anyio.CancelScope) -> None:
    await wait()
    scope.cancel()


def _piped() -> type[PipedTools]:
    """Import the tools, which no start waits for."""
    from relaykit.server.piped import PipedTools  # noqa: PLC0415 - as above

    return PipedTools


def _server() -> Serve:
    """Import the web server; a relay to which nobody comes pays for none."""
    from relaykit.server.serving import serve  # noqa: PLC0415 - as above

    return serve
