"""Named steps at which a test has the process killed, to show that nothing is lost there."""

from __future__ import annotations

import os
import signal

VARIABLE = "RELAYKIT_FAULT"
"""``STEP`` or ``STEP:N``: die when the step is reached for the first, or Nth, time. Nothing else reads it."""

STEPS = (
    "put",  # a message was stored
    "leased",  # attempt, session and submission are recorded; nothing was handed over
    "fetched",  # a file of a message is there; it is not in the cache yet
    "submitted",  # the provider took the text; not recorded yet
    "delivered",  # that was recorded
    "seen",  # a turn began with it, and that was recorded
    "asked",  # a permission request was stored
    "decided",  # the session was told of a decision; not recorded yet
    "wished",  # the wish to interrupt was recorded; the provider was not asked yet
    "ended",  # the turn is over and its events are stored; not settled
    "settled",  # the delivery is settled and the reply stored
    "claimed",  # an agent was claimed; nothing was recovered yet
    "recovered",  # one abandoned delivery was dealt with
    "cleared",  # the agent's session is forgotten; a new one is not open yet
    "stopping",  # a stop began
)


def _parse(text: str) -> tuple[str, int]:
    step, _, count = text.partition(":")
    return step, int(count or 1)


_step, _left = _parse(os.environ.get(VARIABLE, ""))


def reached(step: str) -> None:
    """Die here, without any clean-up, if a test wants that."""
    global _left  # noqa: PLW0603 - counts down over the life of the process
    if step != _step:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
