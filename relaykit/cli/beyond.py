"""Why a message to someone beyond a transport waits: it may be that no relay that runs has that transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.cli.home import home
from relaykit.model import State

if TYPE_CHECKING:
    from relaykit.model import Delivery


def carried() -> frozenset[str]:
    """Return the transports that running relays of this home have."""
    from relaykit.relay.clock import SystemClock  # noqa: PLC0415 - few messages go out
    from relaykit.relay.runfile import running  # noqa: PLC0415 - as above

    return frozenset(name for info in running(home(), SystemClock().boot_id()) for name in info.transports)


def why_waiting(delivery: Delivery) -> str | None:
    """Return why a delivery waits for a transport, where none that runs carries it."""
    _, at, transport = delivery.recipient.partition("@")
    if not at or delivery.state is not State.QUEUED or transport in carried():
        return None
    return f"no running relay has the transport {transport!r}; it waits for one that has: [transports.{transport}]"
