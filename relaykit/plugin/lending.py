"""What the core lends to a command of a plugin: the mailbox, the clock, and the guarded listener for its application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from relaykit.model import Secret
    from relaykit.plugin.attachments import AttachmentStore
    from relaykit.plugin.context import Clock
    from relaykit.plugin.mailbox import Mailbox
    from relaykit.plugin.router import Router

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI application."""
CALLER = "relaykit.caller"
"""Where a guarded application finds who called, in the scope; None is someone unknown at an open door."""


class Pace(Protocol):
    """How often someone may come."""

    def take(self) -> float:
        """Let one request through and return 0, or return the seconds after which one may try again."""
        ...


class Known(Protocol):
    """Someone whose token was good."""

    @property
    def requests(self) -> Pace:
        """How often they may come."""
        ...


class Site(Struct, frozen=True, kw_only=True):
    """An application, and who may come in to it. What does not come in never reaches the application."""

    app: App
    authenticate: Callable[[bytes], Known | None]
    """Whose token it is, without telling by its time how much of it fits."""
    refusal: Callable[[int, str], bytes] | None = None
    """The JSON body with which the guard refuses, by status and text; without it the relay's own."""
    slowed: App | None = None
    """Answers a caller who comes too often, in the guard's place; without it the guard does. The body is not read."""
    is_open: Callable[[Scope], bool] | None = None
    """Whether someone without a token may come in here, at a pace that all such share; guesses have another."""
    takes_token: Callable[[Scope], bytes] | None = None
    """Finds a token elsewhere than in the Authorization header, where there is none; empty is none."""
    names: tuple[str, ...] = ()
    """By which it may be called, beside its address and this machine's."""
    most_body: Callable[[Scope], int | None] | None = None
    """The bytes that the body of a request may have; None is the usual."""
    connections: int = 256


class Tls(Struct, frozen=True, kw_only=True):
    """The files with which a listener proves who it is."""

    certificate: Path
    key: Path


class Lent(Protocol):
    """What the core lends to a command while it runs."""

    @property
    def home(self) -> Path:
        """A directory of its own for what the command must keep, 0700."""
        ...

    @property
    def clock(self) -> Clock:
        """Time."""
        ...

    @property
    def attachments(self) -> AttachmentStore:
        """The contents of files that messages name, which this machine's relays use, too."""
        ...

    def mailbox(self, *routers: Router) -> AbstractAsyncContextManager[Mailbox]:
        """Open the mailbox that this machine's relays use, kept swept; the routers are asked after its own.

        Raises:
            ConfigError: The configuration names one that cannot be opened here.
            StoreError: It cannot be opened.
        """
        ...

    def serve(self, site: Site, listen: str, *, tls: Tls | None = None) -> AbstractAsyncContextManager[str]:
        """Listen at HOST:PORT behind the guard; yield the address. Leaving ends every connection, within seconds.

        Raises:
            ConfigError: The address cannot be listened on, or the files of ``tls`` cannot be used.
        """
        ...

    def person_token(self) -> Secret:
        """Return the token of the person at this machine, which stands in the home."""
        ...

    def report(self, line: str) -> None:
        """Tell the person who runs the command something, in one line."""
