"""Waiting for what becomes of a message, woken by the doorbell."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from relaykit.cli.mail import mailbox
from relaykit.cli.outcome import Outcome, is_over, say_outcome
from relaykit.cli.output import complain, say, say_json, telling, write
from relaykit.mailbox import letters, reading

if TYPE_CHECKING:
    from relaykit.mailbox.door import Door
    from relaykit.model import Draft, Trace

_CTRL_C = 130
_MOMENT = 0.3
"""Seconds in which an answer that comes at once is waited for, before anyone looks who could give it."""
_LOOK_SECONDS = 2.0
"""How often that is looked at from then on: who is killed rings no bell."""


class Wait(Struct, frozen=True, kw_only=True):
    """A message that is put, and what is waited for."""

    draft: Draft
    seconds: float
    every: bool
    """Every delivery's end, not the first good one."""
    json: bool

    @property
    def by_agent(self) -> bool:
        """Whether an agent waits inside its own turn: a circle of waits is to be found then."""
        return self.draft.sender == os.environ.get("RELAYKIT_AGENT")


def wait_for(wait: Wait) -> int:
    """Put a message, wait, print what came of it; return the exit code."""
    with mailbox(make=True) as door:
        put = door.run(letters.put, wait.draft, waits=wait.seconds if wait.by_agent else None)
        message = put.message.id
        # Who captures the answer gets it alone; who sits there may want to look the message up later.
        if sys.stderr.isatty() and not wait.json:
            complain(f"waiting for what becomes of {message}")
        try:
            outcome = Outcome(trace=_until_over(door, message, wait), every=wait.every)
            with telling(f"the message is stored: relaykit trace {message}"):
                _tell(door, outcome, wait)
                write(now=True)
            _acknowledge(door, outcome, wait.draft.sender)
        except KeyboardInterrupt:
            complain(f"no longer waiting; the message goes on: relaykit trace {message}")
            return _CTRL_C
        finally:
            if wait.by_agent:
                door.run(letters.end_wait, message)
    return outcome.exit_code


def _until_over(door: Door, message: str, wait: Wait) -> Trace:
    until, look_at, said = time.monotonic() + wait.seconds, time.monotonic() + _MOMENT, ""
    with door.listen() as watch:
        while True:
            trace = door.run(reading.trace, message)
            now = time.monotonic()
            if now >= until or is_over(trace, every=wait.every):
                return trace
            if now >= look_at:
                said = _say_hindrance(_hindrance(door, trace, wait), said)
                look_at = time.monotonic() + _LOOK_SECONDS
            watch.wait_for(max(min(until, look_at) - now, 0), wait.draft.sender)


def _hindrance(door: Door, trace: Trace, wait: Wait) -> str:
    from relaykit.cli.hindrance import hindrance  # noqa: PLC0415 - who is answered at once does not pay for it

    return hindrance(door, trace, every=wait.every)


def _say_hindrance(why: str, said: str) -> str:
    """Say what keeps the message from being answered, unless that was said last; return what was."""
    if not why or why == said:
        return said
    complain(f"{why}; waiting (Ctrl-C leaves the message in its queue)")
    return why


def _tell(door: Door, outcome: Outcome, wait: Wait) -> None:
    message = outcome.trace.message.id
    if wait.json:
        say_json(outcome.document())
    else:
        if outcome.timed_out:
            say(message)
        say_outcome(outcome)
    if outcome.timed_out:
        why = _hindrance(door, outcome.trace, wait)
        because = f": {why}" if why else ""
        complain(
            f"{_missing(outcome)} within {wait.seconds:g} s{because}; the message goes on: relaykit trace {message}"
        )


def _missing(outcome: Outcome) -> str:
    """Return who has not replied, of a group of which some have ended; of any other message that nobody has."""
    trace = outcome.trace
    if outcome.over:
        replied = sum(trace.answer_of(one) is not None for one in outcome.over)
        left = ", ".join(one.recipient for one in outcome.deliveries if trace.awaits(one))
        return f"{replied} of {len(outcome.deliveries)} replied, and not {left},"
    return f"{trace.taken_by} took it, but no reply" if trace.taken_by else "no reply"


def _acknowledge(door: Door, outcome: Outcome, sender: str) -> None:
    """End the deliveries of what was shown: nobody gets it a second time, in the inbox or as a turn."""
    shown = [
        delivery.id
        for reply in outcome.told
        for delivery in door.run(reading.trace, reply.id).deliveries
        if delivery.recipient == sender
    ]
    if shown:
        door.run(reading.acknowledge, shown, "shown to the wait")
