"""Events in one line for people."""

from __future__ import annotations

from msgspec import Struct

from relaykit.model import (
    Block,
    BlockDelta,
    BlockEnded,
    BlockStarted,
    ErrorRaised,
    Event,
    Gap,
    Occurrence,
    Origin,
    Outcome,
    PermissionAsked,
    PermissionClosed,
    ProviderNote,
    Status,
    StatusChanged,
    StatusKind,
    TurnEnded,
    TurnJoined,
    TurnStarted,
    UsageReported,
)

_LONGEST = 200


class Wording(Struct, frozen=True):
    """What a line says, and how it is meant."""

    text: str
    tone: str = ""
    """``good``, ``bad``, ``ask`` or nothing."""
    detail: bool = False
    """Whether it is for those who want to know everything."""


def word_gap(gap: Gap) -> Wording:
    """Return the line for events that were missed."""
    return Wording(f"{gap.missed} events were not shown: relaykit events {gap.agent} --since {gap.after}", "bad")


def word(event: Event) -> Wording | None:
    """Return the line for an event; None for what is not worth one."""
    wording = _word_turn(event.what) or _word_request(event.what) or _word_rest(event.what)
    return wording and Wording(one_line(wording.text), wording.tone, wording.detail)


def one_line(text: str) -> str:
    """Return text that fits a line and cannot command a terminal."""
    line = " ".join(text[: _LONGEST * 4].split())
    line = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _word_turn(what: Occurrence) -> Wording | None:
    match what:
        case TurnStarted(origin=Origin.PROVIDER):
            return Wording("turn started by the provider")
        case TurnStarted():
            return Wording("turn started")
        case TurnJoined(submissions=submissions):
            return Wording(f"turn took in {len(submissions)} more", detail=True)
        case TurnEnded(outcome=Outcome.COMPLETED):
            return Wording("turn completed", "good")
        case TurnEnded(outcome=outcome, fault=fault, by=by):
            author = "" if by == "provider" else f" by the {by}"
            return Wording(f"turn {outcome}{author}{f': {fault.message}' if fault else ''}", "bad")
    return None


def _word_request(what: Occurrence) -> Wording | None:
    match what:
        case PermissionAsked(question=question):
            return Wording(f"asks for permission ({question.action}): {question.title}", "ask")
        case PermissionClosed(withdrawn=True):
            return Wording("no longer asks for permission")
        case PermissionClosed():
            return Wording("was told the decision", detail=True)
        case StatusChanged(status=status):
            return _word_status(status)
        case ErrorRaised(fault=fault, will_retry=will_retry):
            return Wording(f"error: {fault.message}{' (it tries again)' if will_retry else ''}", "bad")
    return None


def _word_rest(what: Occurrence) -> Wording | None:
    match what:
        case BlockDelta():
            return None
        case BlockStarted(block=block):
            return Wording(f"{_name(block)} begins", detail=True)
        case BlockEnded(block=block):
            return Wording(f"{_name(block)}: {block.text}", detail=True)
        case UsageReported() as usage:
            return Wording(f"used {usage.input_tokens} tokens in, {usage.output_tokens} out", detail=True)
        case ProviderNote(name=name):
            return Wording(f"says {name}", detail=True)
    return None


def _word_status(status: Status) -> Wording:
    reason = f" ({status.reason})" if status.reason else ""
    detail = f": {status.detail}" if status.detail else ""
    return Wording(f"{status.kind}{reason}{detail}", "bad" if status.kind is StatusKind.ERROR else "")


def _name(block: Block) -> str:
    return f"{block.kind} {block.name}".rstrip()
