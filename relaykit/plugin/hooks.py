"""The hooks: synchronous, without arguments, called once at start-up. They return components and do no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from relaykit.plugin.component import CliCommand, Component
    from relaykit.plugin.credentials import CredentialStore
    from relaykit.plugin.mailbox import Mailbox
    from relaykit.plugin.provider import Provider
    from relaykit.plugin.router import Router
    from relaykit.plugin.sessions import SessionStore
    from relaykit.plugin.sink import StatusSink
    from relaykit.plugin.transport import Transport

PROJECT = "relaykit"
"""The entry-point group of plugins, and pluggy's project name."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a plugin's implementation of a hook."""


@hookspec
def relaykit_transports() -> Iterable[Component[Transport]]:  # type: ignore[empty-body]
    """Offer transports."""


@hookspec
def relaykit_providers() -> Iterable[Component[Provider]]:  # type: ignore[empty-body]
    """Offer provider adapters."""


@hookspec
def relaykit_routers() -> Iterable[Component[Router]]:  # type: ignore[empty-body]
    """Offer message routers."""


@hookspec
def relaykit_credential_stores() -> Iterable[Component[CredentialStore]]:  # type: ignore[empty-body]
    """Offer credential stores."""


@hookspec
def relaykit_status_sinks() -> Iterable[Component[StatusSink]]:  # type: ignore[empty-body]
    """Offer status sinks."""


@hookspec
def relaykit_mailboxes() -> Iterable[Component[Mailbox]]:  # type: ignore[empty-body]
    """Offer mailboxes."""


@hookspec
def relaykit_session_stores() -> Iterable[Component[SessionStore]]:  # type: ignore[empty-body]
    """Offer session stores."""


@hookspec
def relaykit_sandboxes() -> Iterable[Component[object]]:  # type: ignore[empty-body]
    """Offer sandboxes. Their protocol is defined with the first one; until then nothing opens them."""


@hookspec
def relaykit_cli_commands() -> Iterable[CliCommand]:  # type: ignore[empty-body]
    """Add commands to ``relaykit``."""
