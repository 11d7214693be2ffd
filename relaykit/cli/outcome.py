"""What became of a message, as a wait tells it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from relaykit.cli.output import complain, plain, say
from relaykit.errors import RefusedError, WaitTimeoutError
from relaykit.model import MessageKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.model import Delivery, Message, Trace


def is_over(trace: Trace, *, every: bool) -> bool:
    """Whether nothing more is to be waited for: every end, or, if one is enough, the first good one."""
    done = [delivery for delivery in trace.deliveries if not trace.awaits(delivery)]
    return len(done) == len(trace.deliveries) or (not every and any(one.state.ended_well for one in done))


def notice_of(delivery: Delivery, trace: Trace) -> Message | None:
    """Return the last notice of a delivery's end; it has what the turn had written until then."""
    said = [one for one in trace.replies if one.kind is MessageKind.NOTICE and one.sender == delivery.recipient]
    return said[-1] if said and not delivery.state.ended_well else None


class Outcome(Struct, frozen=True, kw_only=True):
    """A message when the wait for it ended."""

    trace: Trace
    every: bool

    @property
    def timed_out(self) -> bool:
        """Whether it was not over when the wait was."""
        return not is_over(self.trace, every=self.every)

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """Those that are told of: all, or the first good one where one is enough."""
        good = (one for one in self.trace.deliveries if one.state.ended_well and not self.trace.awaits(one))
        first = None if self.every else next(good, None)
        return (first,) if first else self.trace.deliveries

    @property
    def over(self) -> Sequence[Delivery]:
        """Of those, the ones of which nothing more is to be waited for."""
        return [one for one in self.deliveries if not self.trace.awaits(one)]

    @property
    def told(self) -> Sequence[Message]:
        """The replies and notices that it shows."""
        senders = {delivery.recipient for delivery in self.over}
        whole = len(self.over) == len(self.trace.deliveries)
        return [one for one in self.trace.replies if whole or one.sender in senders]

    @property
    def worst(self) -> Delivery:
        """The delivery that says how it went: the first that did not end well, if there is one."""
        return next((one for one in self.deliveries if not one.state.ended_well), self.deliveries[0])

    @property
    def exit_code(self) -> int:
        """0, 4 or 5."""
        if self.timed_out:
            return WaitTimeoutError.exit_code
        return 0 if self.worst.state.ended_well else RefusedError.exit_code

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        each = [self._delivery(delivery) for delivery in self.deliveries]
        first = next((one["reply"] for one in each if one["reply"] is not None), None)
        return {
            "id": self.trace.message.id,
            "reply": first,
            "state": self.worst.state.value,
            "reason": self.worst.reason,
            "timed_out": self.timed_out,
            "deliveries": each,
        }

    def _delivery(self, delivery: Delivery) -> dict[str, Any]:
        reply, notice = self.trace.answer_of(delivery), notice_of(delivery, self.trace)
        return {
            "recipient": delivery.recipient,
            "state": delivery.state.value,
            "reason": delivery.reason,
            "reply": reply.body if reply else None,
            "notice": notice.body if notice else None,
        }


def say_outcome(outcome: Outcome) -> None:
    """Tell people: replies on standard output, what did not end well on standard error."""
    for delivery in outcome.over:
        reply = outcome.trace.answer_of(delivery)
        if len(outcome.deliveries) > 1 and reply:
            say(f"--- {delivery.recipient}")
        if reply:
            say(plain(reply.body) if sys.stdout.isatty() else reply.body)
        if not delivery.state.ended_well:
            _complain_of(delivery, outcome.trace)


def _complain_of(delivery: Delivery, trace: Trace) -> None:
    complain(f"{trace.message.id} to {delivery.recipient} {_ended(delivery)}: {delivery.reason}")
    notice = notice_of(delivery, trace)
    if notice and (more := notice.body.partition("\n\n")[2]):
        sys.stderr.write(f"{plain(more)}\n")


def _ended(delivery: Delivery) -> str:
    return f"ended {delivery.state.value}" if delivery.state.ended else f"is {delivery.state.value}"
