"""The kinds of components, each with the hook that offers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from relaykit.plugin import (
        CredentialStore,
        Mailbox,
        Provider,
        Router,
        SessionStore,
        StatusSink,
        Transport,
    )

T = TypeVar("T")


class Kind(Struct, Generic[T], frozen=True):
    """A kind of component; the type is that of the running object."""

    word: str
    """What messages call it."""
    hook: str
    """The hook that offers it."""

    def __str__(self) -> str:
        return self.word


TRANSPORT: Kind[Transport] = Kind("transport", "relaykit_transports")
PROVIDER: Kind[Provider] = Kind("provider", "relaykit_providers")
ROUTER: Kind[Router] = Kind("router", "relaykit_routers")
CREDENTIAL_STORE: Kind[CredentialStore] = Kind("credential store", "relaykit_credential_stores")
STATUS_SINK: Kind[StatusSink] = Kind("status sink", "relaykit_status_sinks")
MAILBOX: Kind[Mailbox] = Kind("mailbox", "relaykit_mailboxes")
SESSION_STORE: Kind[SessionStore] = Kind("session store", "relaykit_session_stores")
SANDBOX: Kind[object] = Kind("sandbox", "relaykit_sandboxes")

KINDS: tuple[Kind[Any], ...] = (
    TRANSPORT,
    PROVIDER,
    ROUTER,
    CREDENTIAL_STORE,
    STATUS_SINK,
    MAILBOX,
    SESSION_STORE,
    SANDBOX,
)
"""Every kind, in the order in which they are shown."""
COMMANDS_HOOK = "relaykit_cli_commands"
