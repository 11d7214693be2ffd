"""The provider: one app-server for each session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import anyio
from msgspec.structs import replace

from relaykit.errors import ProviderError
from relaykit.model import Capabilities
from relaykit.plugin import ToolUses
from relaykit_codex.client import Client
from relaykit_codex.handshake import introduce, open_thread, sign_in, thread_settings
from relaykit_codex.options import Options
from relaykit_codex.projecting import project_into
from relaykit_codex.session import CodexSession
from relaykit_codex.starting import Starting
from relaykit_codex.terminal import join_terminal
from relaykit_codex.unseen import UnseenThreads

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from relaykit.model import Secret
    from relaykit.plugin import Context, SessionRequest
    from relaykit_codex.link import Link

MAX_TEXT = 1_048_576
"""Characters that codex takes at once."""


@asynccontextmanager
async def open_provider(options: Mapping[str, Any], context: Context) -> AsyncIterator[CodexProvider]:
    """Open the provider for one agent.

    Raises:
        ConfigError: The options contradict each other.
        CredentialError: The credential that they name cannot be had.
    """
    read = Options.read(options, context.name)
    key = await context.credentials.get(read.credential) if read.credential else None
    yield CodexProvider(read, context, key)


class CodexProvider:
    """Codex, for one agent."""

    def __init__(self, options: Options, context: Context, key: Secret | None) -> None:
        self._options = options
        self._context = context
        self._key = key
        self._starting = Starting(options, context)
        self._unseen = UnseenThreads(context.home / "unseen")
        self._capabilities = Capabilities(
            join=True,
            join_cuts_text=True,
            resume=True,
            history=True,
            sessions=True,
            compact=True,
            permissions=True,
            context=True,
            streaming=True,
            envelope=True,
            detached=options.detached,
            attach=True,
            tools=True,
            max_text=MAX_TEXT,
            model=options.model,
            effort=options.effort,
        )

    @property
    def capabilities(self) -> Capabilities:
        """What its sessions can do; model and effort as codex said last."""
        return self._capabilities

    @asynccontextmanager
    async def session(self, request: SessionRequest) -> AsyncIterator[CodexSession]:
        """Open a session, or go on with an old one."""
        async with AsyncExitStack() as stack:
            try:
                session = await stack.enter_async_context(self._session(request))
            except ProviderError:
                # A detached codex that hangs, or that someone has set otherwise, is of no use: another one is.
                if not await self._starting.end_found():
                    raise
                session = await stack.enter_async_context(self._session(request))
            yield session

    @asynccontextmanager
    async def _session(self, request: SessionRequest) -> AsyncIterator[CodexSession]:
        async with (
            self._starting.link(request) as (link, begun),
            _connected(link, self._options.request_timeout) as (client, tasks),
        ):
            await introduce(client)
            begun()
            session = await self._open(client, tasks, request, self._starting.codex_home)
            with closing(session):
                yield session

    async def _open(self, client: Client, tasks: TaskGroup, request: SessionRequest, home: str | None) -> CodexSession:
        await sign_in(client, self._options, self._key, home)
        profile = await project_into(client, request, self._context.home / "profile")
        opened = await open_thread(client, thread_settings(request, self._options, profile), request.resume)
        self._capabilities = replace(self._capabilities, model=opened.model, effort=opened.effort)
        terminal = join_terminal(self._options, self._context.home, request, opened.thread, self._starting.socket)
        if request.resume is None:
            self._unseen.begin(opened.thread)
        patience = self._options.request_timeout
        session = CodexSession(
            client,
            opened.thread,
            tasks=tasks,
            patience=patience,
            unseen=self._unseen,
            terminal=terminal,
            uses=request.endpoint.uses if request.endpoint else ToolUses(),
        )
        session.rejoin(opened.running)
        client.attach(session.tell, session.died)
        return session


@asynccontextmanager
async def _connected(link: Link, patience: float) -> AsyncIterator[tuple[Client, TaskGroup]]:
    client = Client(link, patience)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.write, name=f"codex {link.pid}: write")
            tasks.start_soon(client.read, name=f"codex {link.pid}: read")
            tasks.start_soon(client.listen, name=f"codex {link.pid}: read complaints")
            yield client, tasks
            tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        if len(group.exceptions) == 1:  # the body's own error, which the task group wraps
            raise group.exceptions[0] from group.exceptions[0].__cause__
        raise
    finally:
        client.close()
