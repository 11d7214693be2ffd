"""Waiting for what becomes of a message, woken by the doorbell."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from relaykit.cli.mail import LONGEST, mailbox
from relaykit.cli.outcome import Outcome, is_over, say_outcome
from relaykit.cli.output import complain, say, say_json
from relaykit.mailbox import letters, reading

if TYPE_CHECKING:
    from relaykit.mailbox.door import Door
    from relaykit.model import Draft, Trace

_CTRL_C = 130


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
    with mailbox() as door:
        put = door.run(letters.put, wait.draft, waits=wait.seconds if wait.by_agent else None)
        message = put.message.id
        try:
            outcome = Outcome(trace=_until_over(door, message, wait), every=wait.every)
            _tell(outcome, wait)
            _acknowledge(door, outcome, wait.draft.sender)
        except KeyboardInterrupt:
            complain(f"no longer waiting; the message goes on: relaykit trace {message}")
            return _CTRL_C
        finally:
            if wait.by_agent:
                door.run(letters.end_wait, message)
    return outcome.exit_code


def _until_over(door: Door, message: str, wait: Wait) -> Trace:
    until = time.monotonic() + wait.seconds
    with door.listen() as watch:
        while True:
            trace = door.run(reading.trace, message)
            left = until - time.monotonic()
            if left <= 0 or is_over(trace, every=wait.every):
                return trace
            watch.wait_for(min(left, LONGEST), wait.draft.sender)


def _tell(outcome: Outcome, wait: Wait) -> None:
    message = outcome.trace.message.id
    if wait.json:
        say_json(outcome.document())
    elif outcome.timed_out:
        say(message)
    else:
        say_outcome(outcome)
    if outcome.timed_out:
        complain(f"no reply within {wait.seconds:g} s; the message goes on: relaykit trace {message}")


def _acknowledge(door: Door, outcome: Outcome, sender: str) -> None:
    """End the deliveries of what was shown: nobody gets it a second time, in the inbox or as a turn."""
    sys.stdout.flush()
    shown = [
        delivery.id
        for reply in outcome.told
        for delivery in door.run(reading.trace, reply.id).deliveries
        if delivery.recipient == sender
    ]
    if shown:
        door.run(reading.acknowledge, shown, "shown to the wait")
