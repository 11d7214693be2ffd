"""What all agents of one relay share."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from relaykit.config.records import Config
from relaykit.plugin import Clock, Mailbox, SessionStore
from relaykit.relay.delivering.attached import AttachedFiles
from relaykit.relay.dispatcher import Dispatcher
from relaykit.relay.doorway import Doorway
from relaykit.relay.events.fanout import Fanout
from relaykit.relay.runfile import RunFile


class Services(Struct, frozen=True, kw_only=True):
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
    run_file: RunFile
    attached: Callable[[str], AttachedFiles]
    """Returns what fetches the files that an agent's messages name."""
    doorway: Doorway | None = None
    """Where the processes of sessions reach the relay; None where it does not listen."""
