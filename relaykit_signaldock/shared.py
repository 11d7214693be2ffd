"""What all parts of one transport share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from relaykit.plugin import Clock, Context
    from relaykit_signaldock.account import Account
    from relaykit_signaldock.client import Client
    from relaykit_signaldock.keys import Keys
    from relaykit_signaldock.options import Options
    from relaykit_signaldock.reporter import Reporter
    from relaykit_signaldock.state import State


class Shared(Struct, frozen=True, kw_only=True):
    """What all parts of one transport share."""

    context: Context
    options: Options
    account: Account
    keys: Keys
    client: Client
    state: State
    reporter: Reporter

    @property
    def name(self) -> str:
        """What addresses call the transport."""
        return self.context.name

    @property
    def clock(self) -> Clock:
        """Time."""
        return self.context.clock
