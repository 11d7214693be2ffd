"""Ringing for whom a transaction was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.storage.audience import Audience

if TYPE_CHECKING:
    from relaykit.mailbox.transaction import Transaction
    from relaykit.storage.doorbell import Bell


def ring(bell: Bell, tx: Transaction, audience: Audience) -> None:
    """Wake whoever has to look, and say for whom something was queued where that is all."""
    # What an operation finds expired on its way it tells the sender, who may be run here.
    quietly = audience is Audience.OTHERS and not tx.named
    bell.ring(None if audience is Audience.ALL else tx.named, quietly=quietly)
