"""One occurrence of every kind, with every field filled in."""

from __future__ import annotations

from relaykit.model import (
    Block,
    BlockDelta,
    BlockEnded,
    BlockKind,
    BlockStarted,
    ErrorRaised,
    Event,
    Fault,
    Occurrence,
    Origin,
    Outcome,
    PermissionAsked,
    PermissionClosed,
    ProviderNote,
    Question,
    Status,
    StatusChanged,
    StatusKind,
    TurnEnded,
    TurnJoined,
    TurnStarted,
    UsageReported,
    Whose,
    WorkItem,
)

FAULT = Fault(whose=Whose.AGENT, code="rate", message="Too many requests", retry_after=2.5)
BLOCK = Block(
    id="b",
    kind=BlockKind.TOOL_USE,
    turn="t",
    text="ls",
    name="shell",
    data={"input": {"command": ["ls", "-l"], "limit": 3, "quiet": None}, "raw": True},
    conversation="sub-1",
)
DURABLE: tuple[Occurrence, ...] = (
    TurnStarted(turn="t", origin=Origin.SUBMISSION, submissions=("s1", "s2"), cause="t0"),
    TurnJoined(turn="t", submissions=("s3",)),
    BlockStarted(block=BLOCK),
    BlockEnded(block=BLOCK),
    PermissionAsked(
        question=Question(key="q", action="command", title="rm -r build", detail="why", turn="t", item="i")
    ),
    PermissionClosed(key="q", withdrawn=True),
    UsageReported(
        turn="t",
        input_tokens=10,
        cached_tokens=4,
        output_tokens=3,
        reasoning_tokens=1,
        context_used=100,
        context_window=1000,
        cost_usd=0.25,
        source="result",
        confidence="exact",
    ),
    StatusChanged(
        status=Status(
            kind=StatusKind.ERROR,
            reason="paused",
            detail="Too many requests",
            since=1_750_000_000.5,
            next_try=1_750_000_060.0,
            work=(WorkItem(kind="turn", id="t", label="the turn"),),
        )
    ),
    ErrorRaised(fault=FAULT, turn="t", will_retry=True),
    ProviderNote(name="compact_boundary", data={"tokens": 12, "list": [1, {"a": "b"}]}),
    TurnEnded(turn="t", outcome=Outcome.FAILED, submissions=("s1",), text="so far", fault=FAULT, by="watchdog"),
)
"""Every kind that is stored."""
EVERY: tuple[Occurrence, ...] = (*DURABLE, BlockDelta(block="b", text="some "))
"""Every kind."""
NASTY_TEXT = "line\nline\r\x1b[31mred\x07\x00 \u202e \ud800 \U0001f600"
"""Text that breaks lines, commands terminals, and that no encoding takes."""


def text_block(id: str, text: str = "", *, turn: str | None = None) -> Block:
    """Return a block of assistant text."""
    return Block(id=id, kind=BlockKind.ASSISTANT_TEXT, text=text, turn=turn)


def numbered(
    what: Occurrence, number: int, *, agent: str = "a", session: str = "s", at: float = 1_750_000_000.0
) -> Event:
    """Return an event that is ready to be stored."""
    return Event(agent=agent, session=session, number=number, at=at, what=what)
