"""What becomes of a delivery: pure decisions from how its turn ended, or what history says of it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from relaykit.config.records import OnInterrupted
from relaykit.model import Delivery, Fault, Origin, Outcome, PastTurn, State, Whose, Wish, begun_before
from relaykit.relay.delivering.turns import EndedTurn

DEATHS = 2
"""Processes that may die holding a delivery; at this many it is dead."""


class Next(StrEnum):
    """What to do with a delivery."""

    SETTLE = "settle"
    RELEASE = "release"
    """Queue it again at its place."""
    REDELIVER = "redeliver"
    """Hand it over again, as new."""
    CONTINUE = "continue"
    """Hand over the word to go on with it."""
    BIND = "bind"
    """Wait for the end of its turn, which runs on in a process that outlived the relay."""
    LEAVE = "leave"
    """The next recovery decides: its process is gone, or the agent is being stopped."""


class Verdict(Struct, frozen=True, kw_only=True):
    """What becomes of a delivery, and why."""

    next: Next
    reason: str
    state: State | None = None
    """With ``settle``, the end."""
    text: str = ""
    """What the turn wrote: the answer, or the part of it that there is."""
    pause: Fault | None = None
    """The agent is to rest first."""
    quoted: bool = False
    """With ``continue``, the session may not know the message any more."""


def settle(state: State, reason: str, text: str = "") -> Verdict:
    """End it."""
    return Verdict(next=Next.SETTLE, state=state, reason=reason, text=text)


_WISHED = {
    Wish.NOW: (State.INTERRUPTED, "a message with priority now took its place"),
    Wish.INTERRUPT: (State.INTERRUPTED, "it was interrupted on request"),
    Wish.CANCEL: (State.CANCELLED, "it was cancelled"),
}


def of_ended(turn: EndedTurn, delivery: Delivery) -> Verdict:
    """Decide by how the provider, the process or the watchdog ended the turn."""
    if delivery.wish is Wish.CANCEL and turn.by != "process":
        return settle(State.CANCELLED, "it was cancelled while its turn ran", turn.text)
    match turn.outcome:
        case Outcome.COMPLETED:
            return _completed(turn, delivery.wish)
        case Outcome.INTERRUPTED:
            return _interrupted(turn, delivery.wish)
        case Outcome.FAILED:
            return _failed(turn.fault, delivery, worked=turn.worked, text=turn.text)


def _completed(turn: EndedTurn, wish: Wish | None) -> Verdict:
    if wish in _WISHED and not turn.text:
        # A provider may call an interrupted turn complete: nothing said after our wish is no answer.
        state, reason = _WISHED[wish]
        return settle(state, reason)
    return settle(State.ANSWERED, f"the provider completed turn {turn.id}", turn.text)


def _interrupted(turn: EndedTurn, wish: Wish | None) -> Verdict:
    if wish is Wish.STOP:
        return Verdict(next=Next.LEAVE, reason="the relay was stopped")
    if wish is not None:
        state, reason = _WISHED[wish]
        return settle(state, reason, turn.text)
    if turn.by == "process":
        return Verdict(next=Next.LEAVE, reason="the provider's process died")
    return settle(State.INTERRUPTED, "the provider interrupted the turn", turn.text)


def _failed(fault: Fault | None, delivery: Delivery, *, worked: bool, text: str) -> Verdict:
    if fault is None:
        return settle(State.FAILED, "the provider says that the turn failed, and not why", text)
    match fault.whose:
        case Whose.AGENT | Whose.RELAY if delivery.wish in (Wish.NOW, Wish.INTERRUPT):
            state, reason = _WISHED[delivery.wish]
            return settle(state, reason, text)
        case Whose.AGENT | Whose.RELAY:
            # Neither is the message's doing: nothing is counted, and what would fail again at once waits a while.
            return resting(fault, delivery, worked=worked)
        case Whose.TURN:
            return settle(State.FAILED, fault.message, text)
        case Whose.MESSAGE:
            return settle(State.DEAD, fault.message, text)
        case Whose.PROCESS:
            return Verdict(next=Next.LEAVE, reason=fault.message)


def of_refusal(fault: Fault, delivery: Delivery) -> Verdict:
    """Decide when the provider did not take the text."""
    return _failed(fault, delivery, worked=False, text="")


def resting(fault: Fault, delivery: Delivery, *, worked: bool) -> Verdict:
    """Have the agent rest; what its session began with is gone on with after that, and everything else is queued again."""
    after = Next.CONTINUE if worked or begun_before(delivery.steps) else Next.RELEASE
    return Verdict(next=after, reason=fault.message, pause=fault)


def turn_of(delivery: Delivery, turns: Sequence[PastTurn] | None) -> PastTurn | None:
    """Return the turn that took the delivery's text, where history knows of one."""
    return next((turn for turn in turns or () if delivery.submission in turn.submissions), None)


def never_handed_over(delivery: Delivery, turns: Sequence[PastTurn] | None) -> bool:
    """Whether a relay died between the lease and the hand-over, as far as the mailbox and a readable history know."""
    return delivery.state is State.LEASED and turns is not None and turn_of(delivery, turns) is None


def of_history(
    delivery: Delivery,
    turns: Sequence[PastTurn] | None,
    *,
    known: bool,
    on_interrupted: OnInterrupted,
    elsewhere: bool = False,
    detached: bool = False,
    expires: bool = False,
) -> Verdict:
    """Decide after a crash, by the history of the session that the delivery was handed to.

    Args:
        delivery: As the mailbox has it.
        turns: The session's turns; None where they cannot be read.
        known: Whether the provider has a history at all.
        on_interrupted: What to do with a turn that was begun and cut off.
        elsewhere: Whether that is another session than the one that is open now, which does not know the message.
        detached: Whether the provider's process outlives the relay, so that a turn without an end is running.
        expires: Whether its message has a time after which it is not to be begun with.
    """
    past = turn_of(delivery, turns)
    if detached and past is not None and past.outcome is None:
        return Verdict(next=Next.BIND, reason="its turn runs on")
    outcome = _end(past)
    # What finished in a process that outlived the relays is no danger to anyone, however many of those died.
    if delivery.deaths >= DEATHS and not (detached and outcome):
        return settle(State.DEAD, f"{delivery.deaths} processes died holding it")
    if past is not None and outcome is not None:
        # An agent that is just starting has rested for the fault, or someone has mended it.
        return replace(_finished(past, outcome, delivery), pause=None, quoted=elsewhere)
    if delivery.wish in _WISHED:
        state, reason = _WISHED[delivery.wish]
        return settle(state, reason, past.text if past else "")
    if turns is None:
        return _unreadable(delivery, on_interrupted, known=known, expires=expires)
    # Where an earlier attempt began its turn, history lacks only the word to go on with that.
    begun = past is not None or begun_before(delivery.steps)
    return _cut_off(past, on_interrupted, elsewhere=elsewhere) if begun else _not_there(delivery, expires=expires)


def _end(past: PastTurn | None) -> Outcome | None:
    """Return how a turn ended by itself; None where it did not: one that failed with its process was cut off."""
    if past is None or past.outcome is Outcome.INTERRUPTED:
        return None
    return None if past.fault is not None and past.fault.whose is Whose.PROCESS else past.outcome


def _not_there(delivery: Delivery, *, expires: bool) -> Verdict:
    return Verdict(next=_again(delivery, expires=expires), reason="the provider's history does not have it")


def _again(delivery: Delivery, *, expires: bool) -> Next:
    # The queue knows whether its time is over, which counts until it was seen, in whatever attempt.
    never_seen = all(step.state is not State.SEEN for step in delivery.steps)
    return Next.RELEASE if expires and never_seen else Next.REDELIVER


def _unreadable(delivery: Delivery, on_interrupted: OnInterrupted, *, known: bool, expires: bool) -> Verdict:
    if on_interrupted == "redeliver":
        why = "nothing tells what became of it; on_interrupted says redeliver"
        return Verdict(next=_again(delivery, expires=expires), reason=why)
    what = "the relay was stopped" if delivery.wish is Wish.STOP else "a process died"
    why = "the session's history cannot be read" if known else "the provider keeps no history"
    return settle(State.UNKNOWN, f"it was handed over, then {what}, and {why}")


def _cut_off(past: PastTurn | None, on_interrupted: OnInterrupted, *, elsewhere: bool) -> Verdict:
    match on_interrupted:
        case "continue":
            quoted = elsewhere or past is None or not past.told
            return Verdict(next=Next.CONTINUE, reason="its turn was cut off", quoted=quoted)
        case "redeliver":
            return Verdict(next=Next.REDELIVER, reason="its turn was cut off; on_interrupted says redeliver")
        case "fail":
            text = past.text if past else ""
            return settle(State.FAILED, "its turn was cut off; on_interrupted says fail", text)


def _finished(past: PastTurn, outcome: Outcome, delivery: Delivery) -> Verdict:
    ended = EndedTurn(
        id=past.id,
        origin=Origin.SUBMISSION,
        outcome=outcome,
        submissions=past.submissions,
        text=past.text,
        worked=past.worked,
        fault=past.fault,
        by="history",
    )
    verdict = of_ended(ended, delivery)
    return replace(verdict, reason=f"{verdict.reason} (read from its history)")
