"""Opens everything that a relay is made of, in order; leaving it closes everything backwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from relaykit.config.assembly import NAMED_USES
from relaykit.config.records import AgentConfig, Config, UseConfig
from relaykit.errors import ConfigError, CredentialError
from relaykit.model import Profile, Projection, Secret
from relaykit.plugin import (
    Clock,
    Context,
    CredentialStore,
    KeepsRecords,
    Mailbox,
    Provider,
    Router,
    SessionStore,
    StatusSink,
    Transport,
)
from relaykit.registry import (
    CREDENTIAL_STORE,
    MAILBOX,
    PROVIDER,
    ROUTER,
    SESSION_STORE,
    STATUS_SINK,
    TRANSPORT,
    Kind,
    Registry,
)
from relaykit.registry.problem import dotted
from relaykit.registry.projecting import projection
from relaykit.relay.children.processes import RelayProcesses
from relaykit.relay.clock import SystemClock
from relaykit.relay.components import Components
from relaykit.relay.directories import private_directory
from relaykit.relay.intake import MailboxIntake
from relaykit.relay.ownership import children_directory
from relaykit.storage.attachments import LentAttachments

T = TypeVar("T")
Report = Callable[[str], None]
_HOMES = {MAILBOX.word: Path(), SESSION_STORE.word: Path(), CREDENTIAL_STORE.word: Path("credentials")}
"""The kinds of which there is one; the others have a directory for each use below ``components``."""
_SECTIONS = {kind.word: section for section, kind in NAMED_USES.items()}


class Opened(Struct, frozen=True, kw_only=True):
    """What is open."""

    mailbox: Mailbox
    sessions: SessionStore
    transports: Mapping[str, Transport]
    sinks: Mapping[str, AbstractAsyncContextManager[StatusSink]]
    """Not entered yet: each is opened in a task of its own."""


class Assembly:
    """Opens components by the configuration, and lends each its context."""

    def __init__(
        self, config: Config, registry: Registry, components: Components, report: Report | None = None
    ) -> None:
        self._config = config
        self._report = {} if report is None else {"report": report}
        self._registry = registry
        self._given = components
        self._mailbox: Mailbox | None = None
        self._credentials: CredentialStore | None = components.credentials
        self.clock: Clock = components.clock or SystemClock()
        self.edge = components.edge

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Opened]:
        """Open everything but the providers, which their agents open."""
        config, given = self._config, self._given
        async with AsyncExitStack() as stack:
            routers = [await stack.enter_async_context(self._open(ROUTER, use)) for use in config.routers]
            if self._credentials is None:
                self._credentials = await stack.enter_async_context(self.open_credentials())
            self._mailbox = mailbox = await stack.enter_async_context(
                _as_it_is(given.mailbox)
                if given.mailbox
                else self._open(MAILBOX, config.mailbox, routers=(*given.routers, *routers))
            )
            sessions = await stack.enter_async_context(
                _as_it_is(given.sessions) if given.sessions else self._open(SESSION_STORE, config.sessions)
            )
            transports = {
                use.name: await stack.enter_async_context(self._open(TRANSPORT, use)) for use in config.transports
            }
            yield Opened(
                mailbox=mailbox,
                sessions=sessions,
                transports={**transports, **given.transports},
                sinks=self._sinks(),
            )

    def open_provider(self, agent: AgentConfig) -> AbstractAsyncContextManager[Provider]:
        """Open an agent's provider once more."""
        context = self._context(f"agents.{agent.id}", Path("agents") / agent.id, owner=agent.id)
        if (component := self._given.providers.get(agent.provider)) is not None:
            return component.open(agent.options, context)
        return self._registry.open(PROVIDER, agent.provider, agent.options, context)

    def projection(self, agent: AgentConfig, profile: Profile | None) -> Sequence[Projection]:
        """Return what an agent's provider makes of its profile."""
        if profile is None:
            return ()
        if (given := self._given.providers.get(agent.provider)) is not None:
            return projection(profile, given, agent.options)
        offer = self._registry.offer(PROVIDER, agent.provider)
        with offer.blaming("projects", dotted(("agents", agent.id))):
            return projection(profile, offer.component, agent.options)

    def open_credentials(self) -> AbstractAsyncContextManager[CredentialStore]:
        """Open the configured credential store, alone."""
        return self._open(CREDENTIAL_STORE, self._config.credentials)

    async def get(self, name: str) -> Secret:
        """Return a secret: what components are lent as the credential store."""
        secret, store = await self.store.get(name), self.store
        if isinstance(store, KeepsRecords):
            await store.mark_used(name)
        return secret

    @property
    def store(self) -> CredentialStore:
        """The credential store itself."""
        if self._credentials is None:
            raise CredentialError("the credential store is not open yet")
        return self._credentials

    def _sinks(self) -> Mapping[str, AbstractAsyncContextManager[StatusSink]]:
        configured = {use.name: self._open(STATUS_SINK, use) for use in self._config.sinks}
        return configured | {name: _as_it_is(sink) for name, sink in self._given.sinks.items()}

    def _open(
        self, kind: Kind[T], use: UseConfig, *, routers: tuple[Router, ...] = ()
    ) -> AbstractAsyncContextManager[T]:
        home = _HOMES.get(kind.word, Path("components") / use.name)
        context = self._context(use.name, home, routers=routers)
        if (section := _SECTIONS.get(kind.word)) is None:
            return self._opened(kind, use, context, use.name)
        place = dotted((section, use.name))
        origin = self._config.origins.get(place)
        opening = self._opened(kind, use, context, place if origin is None else f"{origin}: {place}")
        return _blamed(opening, use.name, place, origin)

    @asynccontextmanager
    async def _opened(self, kind: Kind[T], use: UseConfig, context: Context, place: str) -> AsyncIterator[T]:
        async with AsyncExitStack() as stack:
            with self._registry.offer(kind, use.use).blaming("open", place):
                opening = self._registry.open(kind, use.use, use.options, context)
                opened = await stack.enter_async_context(opening)
            yield opened

    def _context(
        self, name: str, directory: Path, *, owner: str | None = None, routers: tuple[Router, ...] = ()
    ) -> Context:
        home = private_directory(self._config.home / directory)
        children = children_directory(self._config.home, owner or f"component-{name}")
        return Context(
            name=name,
            home=home,
            clock=self.clock,
            processes=RelayProcesses(children, self.clock.boot_id(), meanwhile=_import_worker),
            intake=MailboxIntake(name, lambda: self._mailbox),
            credentials=self,
            attachments=LentAttachments(self._config.home),
            routers=routers,
            limits=self._config.limits,
            **self._report,
        )


def _import_worker() -> None:
    """Import what only a session that is open needs, while its process starts."""
    import_module("relaykit.relay.delivering.recovery")
    import_module("relaykit.relay.delivering.watchdog")
    import_module("relaykit.relay.events.recorder")


@asynccontextmanager
async def _as_it_is(given: T) -> AsyncIterator[T]:
    yield given


@asynccontextmanager
async def _blamed(
    opening: AbstractAsyncContextManager[T], name: str, place: str, origin: str | None
) -> AsyncIterator[T]:
    """Open what is used under a name; where it does not fit, say in which table, and of what file or option."""
    async with AsyncExitStack() as stack:
        try:
            opened = await stack.enter_async_context(opening)
        except (ConfigError, CredentialError) as error:
            text, front = str(error), "" if origin is None else f"{origin}: "
            rest = text.removeprefix(name) if text.startswith((f"{name}.", f"{name}:")) else f": {text}"
            raise type(error)(f"{front}{place}{rest}") from error
        yield opened
