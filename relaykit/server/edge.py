"""The edge of one relay: its tokens, and the listener that starts with the first who needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from relaykit.plugin import Endpoint
from relaykit.server.origins import Address, Hosts
from relaykit.server.passes import Caller, Passes, person, user_token

if TYPE_CHECKING:
    from relaykit.relay.edge import Hearing
    from relaykit.relay.services import Services


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
                await doorway.listen()
            try:
                yield doorway
            finally:
                doorway.closing.set()


class HttpDoorway:
    """An edge that is open, whether it listens already or not."""

    def __init__(self, address: Address, services: Services, stack: AsyncExitStack) -> None:
        self._address = address
        self._services = services
        self._stack = stack
        self._passes = Passes()
        self._starting = anyio.Lock()
        self._url: str | None = None
        self.closing = anyio.Event()
        """Set when calls that wait have to end."""

    @asynccontextmanager
    async def admit(self, agent: str, hearing: Hearing) -> AsyncIterator[Endpoint]:
        """Let one session's processes in, under a token that is good while the context is open."""
        url = await self.listen()
        with self._passes.admit(Caller(name=agent, is_agent=True, session=hearing)) as token:
            yield Endpoint(url=url, token=token)

    async def listen(self) -> str:
        """Listen, unless it does already; return the address."""
        async with self._starting:
            if self._url is None:
                self._url = await self._listen()
            return self._url

    async def _listen(self) -> str:
        from relaykit.server.guard import Guard  # noqa: PLC0415 - see below
        from relaykit.server.listening import bind, serving  # noqa: PLC0415 - see below
        from relaykit.server.routes import application  # noqa: PLC0415 - a relay that does not listen pays for none

        services = self._services
        token = user_token(services.config.home)
        bound, address = bind(self._address)
        self._stack.callback(bound.close)
        self._stack.enter_context(self._passes.admit(person(), token))
        app = application(services, self.closing)
        await self._stack.enter_async_context(serving(Guard(app, self._passes.caller, Hosts(address)), bound))
        if not address.is_loopback:
            services.report(
                f"listening on {address.host}:{address.port}: others can reach it, and what passes is not encrypted"
            )
        services.run_file.note_url(address.url)
        return address.url
