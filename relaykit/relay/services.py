"""What all agents of one relay share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relaykit.config.records import Config
from relaykit.plugin import Clock, Mailbox, SessionStore
from relaykit.relay.dispatcher import Dispatcher
from relaykit.relay.events.fanout import Fanout


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What all agents of one relay share."""

    config: Config
    incarnation: str
    """The id of this run of this relay."""
    clock: Clock
    mailbox: Mailbox
    sessions: SessionStore
    fanout: Fanout
    dispatcher: Dispatcher
    report: Callable[[str], None]
    """Takes one line for the person who runs the relay."""
