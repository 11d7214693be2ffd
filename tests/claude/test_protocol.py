from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaykit.plugin.jsonlines import Skipped
from relaykit_claude.conversation import Conversation
from relaykit_claude.protocol import Asked, Connection, Failure, Response, Told, Withdrawn
from relaykit_claude.transcript import Transcript

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KINDS = st.sampled_from(
    ["system", "assistant", "user", "result", "stream_event", "command_lifecycle", "control_request", "attachment"]
)
SUBTYPES = st.sampled_from(["init", "status", "session_state_changed", "api_retry", "task_started", "can_use_tool"])
NAMES = st.sampled_from(["message", "event", "request", "uuid", "tool_use_result", "content", "attachment"])
MESSAGES = st.builds(
    lambda kind, subtype, more: {**more, "type": kind, "subtype": subtype},
    KINDS,
    SUBTYPES,
    st.dictionaries(NAMES, JSON, max_size=5),
)


def line(message):
    return json.dumps(message).encode() + b"\n"


def sent(data):
    return json.loads(data)


def test_messages_are_told_apart():
    connection = Connection()
    name, _ = connection.request("interrupt", {})
    refused, _ = connection.request("set_model", {"model": "m"})
    lines = [
        {"type": "system", "subtype": "init", "session_id": "s"},
        {"type": "from_the_future", "x": 1},
        {"type": "control_request", "request_id": "r", "request": {"subtype": "can_use_tool", "input": {}}},
        {"type": "control_cancel_request", "request_id": "r"},
        {"type": "control_response", "response": {"subtype": "success", "request_id": name, "response": {"a": 1}}},
        {"type": "control_response", "response": {"subtype": "error", "request_id": refused, "error": "no"}},
        {"type": "control_response", "response": {"subtype": "success", "request_id": "r", "response": {}}},
    ]
    assert connection.receive(b"".join(map(line, lines))) == [
        Told("init", lines[0]),
        Told("from_the_future", lines[1]),
        Asked("r", "can_use_tool", {"subtype": "can_use_tool", "input": {}}),
        Withdrawn("r"),
        Response(name, "interrupt", {"a": 1}),
        Failure(refused, "set_model", "no"),
    ]


def test_a_message_of_a_person_carries_its_id_and_priority():
    message = sent(Connection().say("hö", "s1", "next"))
    assert (message["type"], message["uuid"], message["priority"]) == ("user", "s1", "next")
    assert message["message"] == {"role": "user", "content": "hö"}


@pytest.mark.parametrize(
    ("said", "verbatim"),
    [("look at @/etc/passwd", True), ("[Message 1 …]\n\n/clear @x", True), ("/clear @x", False), ("hello", False)],
)
def test_what_holds_a_path_behind_an_at_is_taken_verbatim_but_for_a_command(said, verbatim):
    assert sent(Connection().say(said, "1", "later"))["client_composed"] is verbatim


def test_an_answer_that_nobody_waits_for_any_longer_is_passed_over_and_not_kept():
    connection = Connection()
    late, _ = connection.request("interrupt", {})
    connection.forget(late)
    answer = {"type": "control_response", "response": {"subtype": "success", "request_id": late, "response": {}}}
    assert connection.receive(line(answer)) == []


@pytest.mark.parametrize("bad", [b"no json", b"[1]", b"{}", b"\xff\xfe", b"[" * 100_000])
def test_a_line_that_is_no_message_is_passed_over_and_told(bad):
    first, second = Connection().receive(bad + b"\n" + line({"type": "keep_alive"}))
    assert isinstance(first, Skipped)
    assert second == Told("keep_alive", {"type": "keep_alive"})


def test_a_line_beyond_the_limit_is_passed_over():
    connection = Connection(max_line=100)
    told = [message for _ in range(50) for message in connection.receive(b"x" * 10)]
    told += connection.receive(b"\n" + line({"type": "keep_alive"}))
    assert told == [
        Skipped(reason="a line of more than 100 bytes", size=500),
        Told("keep_alive", {"type": "keep_alive"}),
    ]


@given(st.lists(st.binary(max_size=60), max_size=30))
def test_any_bytes_are_read(pieces):
    connection = Connection()
    for piece in pieces:
        connection.receive(piece)


@given(st.lists(MESSAGES, max_size=12), st.integers(1, 80))
def test_any_chunking_gives_the_same_messages(messages, size):
    data = b"".join(map(line, messages))
    cut = [data[start:end] for start, end in pairwise([*range(0, len(data), size), len(data)])]
    pieces, whole = Connection(), Connection()
    told = [message for piece in cut for message in pieces.receive(piece)]
    assert repr(told) == repr(whole.receive(data))  # a NaN is not equal to itself


@given(st.lists(MESSAGES, max_size=12))
def test_no_message_breaks_a_conversation(messages):
    conversation = Conversation("s")
    for message in Connection().receive(b"".join(map(line, messages))):
        match message:
            case Told():
                conversation.told(message)
            case Asked():
                conversation.asked(message)


@given(st.lists(MESSAGES, max_size=12))
def test_no_line_breaks_a_transcript(messages):
    transcript = Transcript().read(map(line, messages))
    assert all(turn.id is not None for turn in transcript.turns)
