"""Why nobody can answer a message for now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.cli.beyond import why_waiting
from relaykit.cli.home import home
from relaykit.cli.output import clipped
from relaykit.cli.presence import Present, present
from relaykit.mailbox import reading
from relaykit.model import StatusKind
from relaykit.relay.standing import is_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.mailbox.door import Door
    from relaykit.model import Delivery, Trace

_WIDTH = 200


def hindrance(door: Door, trace: Trace, *, every: bool) -> str:
    """Return in one line what keeps a message from being answered; nothing where an answer may be on its way.

    Where one answer is enough, one agent that can give it is, too. People, and whoever is beyond a transport that a
    relay has, take the time that they take.
    """
    known = {one.entry.agent.id: one for one in present(door, home()) if not one.entry.agent.reads_inbox}
    pending = [delivery for delivery in trace.deliveries if not delivery.state.ended]
    found = [why for delivery in pending if (why := _of_delivery(door, delivery, known))]
    return "; ".join(found) if every or len(found) == len(pending) else ""


def _of_delivery(door: Door, delivery: Delivery, known: dict[str, Present]) -> str:
    if beyond := why_waiting(delivery):
        return beyond
    taking: Sequence[str] = door.run(reading.taking, delivery.id) or (delivery.recipient,)
    found = [_of_agent(known[agent]) for agent in taking if agent in known]
    return "; ".join(found) if len(found) == len(taking) and all(found) else ""


def _of_agent(one: Present) -> str:
    name, status = one.entry.agent.id, one.status
    detail = clipped(status.detail, _WIDTH)
    if status.kind is StatusKind.ERROR:
        remedy = "" if status.next_try else f"; `relaykit restart {name}` has it try again"
        return f"{name} is in error ({status.reason}): {detail}{remedy}"
    if status.reason == "permission":
        return f"{name} asks for permission: relaykit permissions"
    # One that is just being started says nothing of itself yet.
    if status.kind is StatusKind.OFFLINE and (status.reason == "stale" or not is_run(home(), name)):
        return f"{name} is offline: {detail or 'no relay runs it'}"
    return ""
