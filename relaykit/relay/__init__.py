"""The running thing: what is assembled from a configuration, and what applications embed.

async with relaykit.relay.open(config) as relay:
    accepted = await relay.send("reviewer", "Please review the last commit.")
    replies = await relay.wait(accepted.message.id)
"""

from relaykit.relay.components import Components
from relaykit.relay.life import Ready
from relaykit.relay.opening import open_relay as open  # noqa: A004 - as in relaykit.relay.open
from relaykit.relay.relay import Relay

__all__ = ["Components", "Ready", "Relay", "open"]
