"""The provider: one claude for each session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from msgspec import Struct

from relaykit.model import Capabilities, new_id
from relaykit_claude.client import Client
from relaykit_claude.equipment import equip
from relaykit_claude.faults import agent_error
from relaykit_claude.handshake import SESSION_GONE, introduce
from relaykit_claude.launch import arguments, environment, find_claude, permission_modes
from relaykit_claude.locking import session_locks
from relaykit_claude.options import Options
from relaykit_claude.projecting import hello
from relaykit_claude.terminal import join_terminal
from relaykit_claude.toolcalls import ToolCalls
from relaykit_claude.tools import session_start
from relaykit_claude.transcripts import Transcripts

if TYPE_CHECKING:
    from relaykit.model import Secret
    from relaykit.plugin import Child, Context, Endpoint, SessionRequest
    from relaykit_claude.session import ClaudeSession

MAX_TEXT = 1_048_576
"""Characters that claude is given at once."""


@asynccontextmanager
async def open_provider(options: Mapping[str, Any], context: Context) -> AsyncIterator[ClaudeProvider]:
    """Open the provider for one agent.

    Raises:
        CredentialError: The credential that the options name cannot be had.
    """
    read = Options.read(options)
    key = await context.credentials.get(read.credential) if read.credential else None
    yield ClaudeProvider(read, context, key)


class _Which(Struct, frozen=True):
    """The session to open, and the words that say so to claude."""

    id: str
    words: tuple[str, ...]

    @property
    def goes_on(self) -> bool:
        """Whether there is a history, and a cost, before it."""
        return any(word.startswith("--resume=") for word in self.words)


class ClaudeProvider:
    """Claude Code, for one agent."""

    def __init__(self, options: Options, context: Context, key: Secret | None) -> None:
        self._options = options
        self._context = context
        self._key = key
        self._transcripts = Transcripts(options.config(context.home), context.home)
        self._session: ClaudeSession | None = None

    @property
    def capabilities(self) -> Capabilities:
        """What its sessions can do; the model as claude said last."""
        return Capabilities(
            join=True,
            resume=True,
            history=True,
            sessions=True,
            compact=True,
            permissions=True,
            replies=True,
            withdraw=True,
            set_model=True,
            set_permission_mode=True,
            context=True,
            streaming=True,
            envelope=True,
            tools=True,
            piped_tools=True,
            attach=True,
            max_text=MAX_TEXT,
            model=(self._session.model if self._session else None) or self._options.model,
            effort=self._options.effort,
        )

    @asynccontextmanager
    async def session(self, request: SessionRequest) -> AsyncIterator[ClaudeSession]:
        """Open a session, or go on with an old one."""
        which = self._which(request)
        shared = self._options.config(self._context.home)
        with session_locks(which.id, shared) as locks, equip(request, self._context.home) as equipment:
            words = [*which.words, *equipment.words]
            argv = arguments(find_claude(self._options.command), self._options, request, words)
            config = self._options.own_config(self._context.home)
            env = environment(self._options, request, config=config, place=equipment.place, key=self._key)
            launched = self._context.processes.launch(argv, cwd=request.cwd, env={**env, **equipment.env})
            async with launched as child, _connected(child, self._options.request_timeout, request.endpoint) as client:
                from relaykit_claude.session import ClaudeSession  # noqa: PLC0415 - claude takes longer to start

                await introduce(client, hello(request))
                session = ClaudeSession(
                    client,
                    which.id,
                    resumed=which.goes_on,
                    locks=locks,
                    transcripts=self._transcripts,
                    patience=self._options.request_timeout,
                    modes=permission_modes(request.approval),
                    terminal=partial(join_terminal, self._options, request, config=config),
                )
                if request.endpoint:
                    session.began(session_start(which.id, request.cwd, which.words))
                client.attach(session.tell, session.died)
                self._session = session
                with closing(session):
                    yield session

    def _which(self, request: SessionRequest) -> _Which:
        known = request.resume
        if known is None:
            return self._new(new_id())
        if self._transcripts.find(known) is not None:
            return _Which(known, (f"--resume={known}",))
        if self._transcripts.was_begun(known):
            return self._new(known)
        raise agent_error(SESSION_GONE, f"claude has no session {known} in {self._options.config(self._context.home)}")

    def _new(self, session: str) -> _Which:
        self._transcripts.begin(session)
        begun = (f"--session-id={session}",)
        return _Which(
            session, (*begun, f"--resume={self._options.fork}", "--fork-session") if self._options.fork else begun
        )


@asynccontextmanager
async def _connected(child: Child, patience: float, endpoint: Endpoint | None) -> AsyncIterator[Client]:
    client = Client(child, patience)
    try:
        async with anyio.create_task_group() as tasks:
            client.tool_calls = ToolCalls(endpoint.tools, client.tell_result, tasks) if endpoint else None
            tasks.start_soon(client.write, name=f"claude {child.pid}: write")
            tasks.start_soon(client.read, name=f"claude {child.pid}: read")
            tasks.start_soon(client.listen, name=f"claude {child.pid}: read complaints")
            yield client
            tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        if len(group.exceptions) == 1:  # the body's own error, which the task group wraps
            raise group.exceptions[0] from group.exceptions[0].__cause__
        raise
    finally:
        client.close()
