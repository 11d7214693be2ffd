"""Recorded output of the real claude, told as occurrences. Beside each recording lies what is expected of it.

``RELAYKIT_REWRITE=1`` writes what is expected anew; then look at what has changed.
"""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaykit.model import Fault, TurnEnded, Whose
from relaykit.plugin.fields import text
from relaykit.plugin.jsonlines import Skipped
from relaykit_claude.conversation import Conversation
from relaykit_claude.protocol import Asked, Connection, Told, Withdrawn

DATA = Path(__file__).with_name("recordings")
RECORDINGS = sorted(DATA.glob("*.jsonl"))
REWRITE = "RELAYKIT_REWRITE"


class Replay:
    """A recording, fed to a connection and a conversation as a session does it; the host's own lines are not in it."""

    def __init__(self, path, end=None):
        self.lines = path.read_bytes().splitlines(keepends=True)[:end]
        self.connection = Connection()
        self.conversation = Conversation("")
        self.occurrences = []

    def run(self, cut=lambda data: [data]):
        for line in self.lines:
            message = json.loads(line)
            if text(message, "type") == "command_lifecycle" and text(message, "state") == "queued":
                self.conversation.sent(text(message, "command_uuid"))
            for piece in cut(line):
                for heard in self.connection.receive(piece):
                    self.occurrences += self.heard(heard)
        return self

    def heard(self, message):
        match message:
            case Told():
                return self.conversation.told(message)
            case Withdrawn():
                return self.conversation.withdrawn(message.id)
            case Asked():
                return self.conversation.asked(message) or [f"refused {message.subtype}"]
            case Skipped():
                raise AssertionError(message)
        return []


def shown_block(block):
    name = f" {block.name}" if block.name else ""
    facts = {key: value for key, value in block.data.items() if key not in ("submission", "use")}
    return f"  {block.kind}{name} {block.text!r} {json.dumps(facts) if facts else ''}".rstrip()


def shown_fault(fault):
    return f"{fault.whose}/{fault.code}: {fault.message}"


SHOWN = {
    "turn_started": lambda what: f"turn started ({what.origin})",
    "turn_joined": lambda _: "turn joined",
    "turn_ended": lambda what: (
        f"turn ended {what.outcome} {len(what.submissions)} submissions {what.text!r}"
        + (f" fault {shown_fault(what.fault)}" if what.fault else "")
    ),
    "block_started": lambda what: f"  begins {what.block.kind} {what.block.name}".rstrip(),
    "block_delta": lambda what: f"  + {what.text!r}",
    "block_ended": lambda what: shown_block(what.block),
    "permission_asked": lambda what: f"asks {what.question.action}: {what.question.title} | {what.question.detail!r}",
    "permission_closed": lambda what: f"question closed{' (withdrawn)' if what.withdrawn else ''}",
    "usage": lambda what: (
        f"usage {what.input_tokens} in, {what.output_tokens} out, context {what.context_used}, {what.cost_usd:.4f} USD"
    ),
    "error": lambda what: f"error{' (tries again)' if what.will_retry else ''} {shown_fault(what.fault)}",
    "note": lambda what: f"note {what.name}",
}


def shown(what):
    """Return an occurrence as one line without ids and times."""
    return what if isinstance(what, str) else SHOWN[what.kind](what)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_is_told_as_expected(path):
    expected = path.with_suffix(".txt")
    lines = "".join(shown(what) + "\n" for what in Replay(path).run().occurrences)
    if os.environ.get(REWRITE):
        expected.write_text(lines, encoding="utf-8")
    assert lines == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_every_turn_of_a_recording_ends_once_with_its_blocks_closed(path):
    started, open_blocks = [], set()
    for what in Replay(path).run().occurrences:
        match getattr(what, "kind", ""):
            case "turn_started":
                started.append(what.turn)
            case "block_started":
                assert what.block.id not in open_blocks
                open_blocks.add(what.block.id)
            case "block_delta":
                assert what.block in open_blocks
            case "block_ended":
                open_blocks.discard(what.block.id)
            case "turn_ended":
                assert not open_blocks
                started.remove(what.turn)
    assert not started


@given(path=st.sampled_from(RECORDINGS), size=st.integers(1, 300))
def test_a_recording_in_any_pieces_is_told_the_same(path, size):
    def cut(data):
        return [data[start:end] for start, end in pairwise([*range(0, len(data), size), len(data)])]

    assert Replay(path).run(cut).occurrences == Replay(path).run().occurrences


@given(path=st.sampled_from(RECORDINGS), end=st.integers(0, 80))
def test_a_process_that_dies_anywhere_ends_its_turn_and_its_questions(path, end):
    replay = Replay(path, end).run()
    running = replay.conversation.turn
    fault = Fault(whose=Whose.PROCESS, code="died", message="claude ended")
    last = replay.conversation.cut(fault)
    ended = [what for what in last if isinstance(what, TurnEnded)]
    assert [(what.turn, what.by, what.fault) for what in ended] == ([(running.id, "process", fault)] if running else [])
    closed = [what.key for what in [*replay.occurrences, *last] if getattr(what, "kind", "") == "permission_closed"]
    asked = [what.question.key for what in replay.occurrences if getattr(what, "kind", "") == "permission_asked"]
    assert sorted(closed) == sorted(asked)
    assert not replay.conversation.busy
