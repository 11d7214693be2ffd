"""Giving an order to whoever runs an agent, and waiting for its end."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from relaykit.cli.detached import end_detached
from relaykit.cli.home import home
from relaykit.cli.mail import mailbox
from relaykit.cli.near import near
from relaykit.cli.output import complain, plain, say, say_json
from relaykit.errors import NotFoundError, RelaykitError
from relaykit.mailbox import directory, orders
from relaykit.model import USER, Command, CommandState
from relaykit.relay.standing import is_run

if TYPE_CHECKING:
    from relaykit.mailbox.door import Door
    from relaykit.model import CommandKind
    from relaykit.storage.doorbell import Listener

_LOOK_SECONDS = 0.5
"""How often the agent's lock is looked at: the kernel frees it without ringing."""
_FREE_LOOK_SECONDS = 0.05
_FREE_SECONDS = 15.0
"""How long an agent that was stopped may hold its lock."""


class Result(Struct, frozen=True, kw_only=True):
    """What came of an order."""

    id: str | None
    """None where nobody runs the agent, so that no order was given."""
    state: CommandState
    text: str


def give(agent: str, kind: CommandKind, *, text: str = "", wait: bool, json: bool) -> int:
    """Give an order and print what came of it; return the exit code."""
    with mailbox() as door:
        _check_known(door, agent)
        result = _carried_out(door, agent, kind, text, wait=wait) if is_run(home(), agent) else _nobody(agent, kind)
    if json:
        say_json(
            {"id": result.id, "agent": agent, "kind": kind.value, "state": result.state.value, "result": result.text}
        )
    elif not wait and result.id:
        say(result.id)
    elif result.state is CommandState.SUCCEEDED:
        say(f"{agent}: {kind.value} {result.state.value}{f': {plain(result.text)}' if result.text else ''}")
    if result.state is CommandState.FAILED:
        complain(f"{kind.value} of {agent} failed: {plain(result.text) or 'no reason was given'}")
    return RelaykitError.exit_code if result.state is CommandState.FAILED else 0


def ordered(agent: str, kind: CommandKind, text: str) -> Result:
    """Give an order and return what came of it."""
    with mailbox() as door:
        _check_known(door, agent)
        return _carried_out(door, agent, kind, text, wait=True) if is_run(home(), agent) else _nobody(agent, kind)


def _check_known(door: Door, agent: str) -> None:
    known = [entry.agent.id for entry in door.run(directory.agents)]
    if agent not in known:
        raise NotFoundError(f"there is no agent {agent!r}{near(agent, known)}")


def _nobody(agent: str, kind: CommandKind) -> Result:
    if kind.ends_agent:
        ended = end_detached(home(), agent)
        text = f"nobody runs it; {ended}" if ended else "nobody runs it"
        return Result(id=None, state=CommandState.SUCCEEDED, text=text)
    return Result(id=None, state=CommandState.FAILED, text=f"nobody runs {agent}; its queue waits for `relaykit run`")


def _carried_out(door: Door, agent: str, kind: CommandKind, text: str, *, wait: bool) -> Result:
    with door.listen() as watch:
        sender = os.environ.get("RELAYKIT_AGENT") or USER
        order = door.run(orders.order, agent, kind, text=text, sender=sender)
        if wait:
            order = _ended(door, order, watch)
    return Result(id=order.id, state=order.state, text=order.result)


def _ended(door: Door, order: Command, watch: Listener) -> Command:
    """Return an order when it has ended; close it where whoever should have carried it out is gone, or let it lie."""
    while not (order := door.run(orders.command, order.id)).state.ended:
        if not is_run(home(), order.agent):
            state = CommandState.SUCCEEDED if order.kind.ends_agent else CommandState.FAILED
            door.run(orders.advance, order.id, state, "nobody runs it any more")
        elif order.state is CommandState.ACCEPTED and time.time() > order.take_by:
            door.run(orders.advance, order.id, CommandState.FAILED, "its relay did not take the order in time")
        else:
            watch.wait_for(_LOOK_SECONDS)
    if order.kind.ends_agent and order.state is CommandState.SUCCEEDED:
        _wait_for_lock(order.agent, watch)
    return order


def _wait_for_lock(agent: str, watch: Listener) -> None:
    """Return when the agent's lock is free, so that whoever comes next may start it."""
    until = time.monotonic() + _FREE_SECONDS
    while is_run(home(), agent) and time.monotonic() < until:
        watch.wait_for(_FREE_LOOK_SECONDS)
