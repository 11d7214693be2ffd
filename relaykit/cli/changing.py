"""Telling what became of deliveries that a command changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.cli.output import plain, say, say_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.model import Delivery


def tell_changed(message: str, deliveries: Sequence[Delivery], *, json: bool, otherwise: str = "") -> None:
    """Tell how each delivery is now, and ``otherwise`` of those that have not ended."""
    if json:
        each = [{"recipient": one.recipient, "state": one.state.value, "reason": one.reason} for one in deliveries]
        say_json({"id": message, "deliveries": each})
        return
    for one in deliveries:
        more = otherwise if not one.state.ended else ""
        said = "; ".join(filter(None, (plain(one.reason), more)))
        say(f"{one.recipient}: {one.state.value}{f': {said}' if said else ''}")
