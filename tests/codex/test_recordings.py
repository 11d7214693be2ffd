"""Recorded traffic of the real codex, told as occurrences. Beside each recording lies what is expected of it.

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
from relaykit_codex.conversation import Conversation
from relaykit_codex.protocol import Connection, Notification, Response, ServerRequest

DATA = Path(__file__).with_name("data")
RECORDINGS = sorted(DATA.glob("*.jsonl"))
REWRITE = "RELAYKIT_REWRITE"
THREADED = ("turn/start", "thread/resume", "thread/compact/start", "thread/revert", "thread/fork")


def recorded(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def thread_of(messages):
    """Return the thread that the client of a recording talks in at its end."""
    sent = [one["msg"] for one in messages if one["dir"] == "c2s"]
    named = [message["params"]["threadId"] for message in sent if message.get("method") in THREADED]
    told = [text(one["msg"], "params", "threadId") for one in messages]
    return next((name for name in (*reversed(named), *told) if name), "")


class Replay:
    """A recording, fed to a connection and a conversation as a session does it."""

    def __init__(self, path):
        self.messages = recorded(path)
        self.connection = Connection()
        self.conversation = Conversation(thread_of(self.messages))
        self.submissions = {}
        self.occurrences = []

    def run(self, cut=lambda data: [data]):
        for one in self.messages:
            if one["dir"] == "c2s":
                self.sent(one["msg"])
                continue
            for piece in cut(json.dumps(one["msg"]).encode() + b"\n"):
                for message in self.connection.receive(piece):
                    self.occurrences += self.heard(message)
        return self

    def sent(self, message):
        method = message.get("method")
        if method and "id" in message:
            self.connection._waiting[message["id"]] = method
            self.submissions[message["id"]] = f"sub-{message['id']}"
        elif "id" in message:
            asked = [key for key, found in self.conversation._open.items() if found.request == message["id"]]
            for key in asked:
                self.conversation.answer(key)

    def heard(self, message):
        match message:
            case Response(method="turn/start"):
                self.conversation.taken(text(message.result, "turn", "id"), self.submissions[message.id])
            case Response(method="turn/steer"):
                self.conversation.taken(text(message.result, "turnId"), self.submissions[message.id])
            case Notification():
                return self.conversation.told(message)
            case ServerRequest():
                return self.conversation.asked(message) or [f"refused {message.method}"]
            case Skipped():
                raise AssertionError(message)
        return []


def shown_block(block):
    name = f" {block.name}" if block.name else ""
    facts = {key: value for key, value in block.data.items() if key != "duration_ms"}
    return f"  {block.kind}{name} {block.text!r} {json.dumps(facts) if facts else ''}".rstrip()


def shown_fault(fault):
    return f"{fault.whose}/{fault.code}: {fault.message}"


SHOWN = {
    "turn_started": lambda what: f"turn started ({what.origin})",
    "turn_joined": lambda _: "turn joined",
    "turn_ended": lambda what: (
        f"turn ended {what.outcome} {'+'.join(what.submissions) or '-'} {what.text!r}"
        + (f" fault {shown_fault(what.fault)}" if what.fault else "")
    ),
    "block_started": lambda what: f"  begins {what.block.kind} {what.block.name}".rstrip(),
    "block_delta": lambda what: f"  + {what.text!r}",
    "block_ended": lambda what: shown_block(what.block),
    "permission_asked": lambda what: f"asks {what.question.action}: {what.question.title} | {what.question.detail!r}",
    "permission_closed": lambda what: f"question closed{' (withdrawn)' if what.withdrawn else ''}",
    "usage": lambda what: f"usage {what.input_tokens} in, {what.output_tokens} out, context {what.context_used}",
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


@given(path=st.sampled_from(RECORDINGS), end=st.integers(0, 60))
def test_a_process_that_dies_anywhere_ends_its_turn_and_its_questions(path, end):
    replay = Replay(path)
    replay.messages = replay.messages[:end]
    replay.run()
    running = replay.conversation.turn
    fault = Fault(whose=Whose.PROCESS, code="died", message="codex ended")
    last = replay.conversation.cut(fault)
    ended = [what for what in last if isinstance(what, TurnEnded)]
    assert [(what.turn, what.by, what.fault) for what in ended] == ([(running.id, "process", fault)] if running else [])
    closed = [what.key for what in [*replay.occurrences, *last] if getattr(what, "kind", "") == "permission_closed"]
    asked = [what.question.key for what in replay.occurrences if getattr(what, "kind", "") == "permission_asked"]
    assert sorted(closed) == sorted(asked)
    assert replay.conversation.running is None
